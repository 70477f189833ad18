import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { ActBar } from '../features/decision/act-bar';
import { Artifacts, headLines, isFolded } from '../features/decision/artifacts-section';
import styles from '../features/decision/decision.module.css';
import { Notices } from '../features/decision/notices';
import { Blast, Reason, Risk, Sentence, Status, Unusual } from '../features/decision/parts';
import { Proof } from '../features/decision/proof';
import { isHigh, type Review } from '../features/decision/review';
import { Stages } from '../features/decision/stages';
import { useReview } from '../features/decision/use-review';
import { Icon } from '../shell/icon';
import { useTitle } from '../shell/page';
import { decision as texts } from '../strings/decision';
import { inbox } from '../strings/inbox';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { usePhone } from '../ui/phone';
import { Problem } from '../ui/problem';
import { Loading } from '../ui/states';

export function Decision() {
  const { id } = useParams({ from: '/inbox-layout/inbox/$id' });
  return <DecisionOf key={id} id={id} />;
}

function DecisionOf({ id }: { id: string }) {
  const { review, newer, fault, showNewer, reload } = useReview(id);
  useTitle(review ? `${review.request.content.entitlement.name} · ${review.view.requester.name ?? id}` : id);
  return (
    <div className={styles.screen}>
      <p className={styles.back}>
        <Link to="/">
          <Icon name="back" size={18} />
          {inbox.backToList}
        </Link>
      </p>
      {fault !== undefined && fault !== null && (
        <div className={styles.failed}>
          <h1>{texts.failed(id)}</h1>
          <Problem fault={fault} retry={reload} />
        </div>
      )}
      {!fault && !review && <Loading />}
      {!fault && review && <Shown review={review} changed={newer !== undefined} onShowNewer={showNewer} />}
    </div>
  );
}

function Shown({ review, changed, onShowNewer }: { review: Review; changed: boolean; onShowNewer: () => void }) {
  const phone = usePhone();
  const [whole, setWhole] = useState(false);
  const lines = whole ? undefined : headLines(review, phone);
  const high = isHigh(review);
  const artifacts = <Artifacts review={review} lines={lines} onShowWhole={() => setWhole(true)} />;
  const risk = <Risk review={review} />;
  return (
    <>
      <article className={styles.decision} data-high={high} data-tier={review.verdict.content.risk.tier}>
        {changed && (
          <Notice tone="warn" title={texts.changed.title} alert>
            <p>{texts.changed.text}</p>
            <p>
              <Button onPress={onShowNewer}>{texts.changed.show}</Button>
            </p>
          </Notice>
        )}
        <header className={styles.top}>
          <Status review={review} />
          <Sentence review={review} />
        </header>
        <Notices review={review} />
        <div className={styles.columns}>
          {/* On a phone the whole artifact of a high risk would push the risk off the first screen. */}
          {phone && high && risk}
          {artifacts}
          <div className={styles.rail}>
            {!(phone && high) && risk}
            <Unusual review={review} />
            <Blast review={review} />
          </div>
        </div>
        <Reason review={review} />
        <Stages review={review} />
        <Proof review={review} />
      </article>
      <ActBar review={review} blocked={changed ? texts.obstacle.changed : undefined} unfold={isFolded(review, lines) ? () => setWhole(true) : undefined} />
    </>
  );
}
