import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useSession } from '../../session/session';
import { decision as texts } from '../../strings/decision';
import { inbox } from '../../strings/inbox';
import { Button } from '../../ui/button';
import { useClock } from '../../ui/clock';
import { useKeys } from '../../ui/keyboard';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import { Icon } from '../../shell/icon';
import { shell } from '../../strings/shell';
import { fingerprintOf } from '../../ui/format';
import { Compose, type Draft } from './compose';
import { obstacle, openKinds } from './obstacle';
import type { Wish } from './offer';
import { ReceiptNotice } from './receipt-notice';
import { isHigh, type Review } from './review';
import { Signing } from './signing';
import { useAct } from './use-act';
import styles from './decision.module.css';

interface ActBarProps {
  review: Review;
  /** Why nothing of what is on the screen can be signed at all. */
  blocked: string | undefined;
  /** Shows what is still folded, when something is. */
  unfold: (() => void) | undefined;
}

const text = texts.act;

/** Where one decides: always in reach, and never before all of it was on the screen. */
export function ActBar({ review, blocked, unfold }: ActBarProps) {
  const { me } = useSession();
  const act = useAct(review);
  const [begun, setDraft] = useState<Draft>();
  const bar = useRef<HTMLDivElement>(null);
  const kinds = openKinds(review, me.person);
  // What was begun ends when the request was decided meanwhile.
  const draft = begun && kinds.includes(begun.kind) ? begun : undefined;
  const why = (kind: Wish['kind']) => blocked ?? obstacle(review, kind, me.person, Date.now());
  useClock((now) => kinds.map((kind) => obstacle(review, kind, me.person, now)).join());
  const compose = (kind: Wish['kind'], suspicious = false) => setDraft({ kind, suspicious });
  useKeys([{ key: 'd', label: shell.keys.reject, run: () => kinds.includes('reject') && why('reject') === undefined && compose('reject') }]);
  useEffect(() => {
    if (act.step.at === 'recorded') setDraft(undefined);
  }, [act.step.at]);

  if (act.step.at === 'recorded') return <ReceiptNotice recorded={act.step.recorded} requestId={review.view.id} />;
  if (kinds.length === 0 && act.fault === null) return null;
  const busy = act.step.at !== 'rest';
  const approve = () => {
    if (unfold) unfold();
    else if (isHigh(review) || digitsNeeded(review)) compose('approve');
    else act.begin({ kind: 'approve', reason: '', suspicious: false }, '');
  };
  return (
    <div ref={bar} className={styles.bar} data-high={isHigh(review)} role="region" aria-label={text.title}>
      {act.fault !== null && !busy && <Problem fault={act.fault} />}
      {act.unsure && (
        <Notice tone="warn" title={texts.unsure.title}>
          <p>{texts.unsure.text}</p>
          <p>
            <Button onPress={act.sendAgain}>{texts.unsure.send}</Button>
          </p>
        </Notice>
      )}
      <Signing step={act.step} />
      {draft ? (
        <Compose
          key={draft.kind + String(draft.suspicious)}
          draft={draft}
          review={review}
          busy={busy}
          why={why(draft.kind)}
          onCancel={() => {
            setDraft(undefined);
            act.forget();
          }}
          onSign={act.begin}
        />
      ) : (
        <div className={styles.buttons}>
          {kinds.includes('approve') && (
            <Button kind="primary" why={unfold ? undefined : why('approve')} busy={busy} onPress={approve} className={styles.approve}>
              {approveLabel(unfold !== undefined, isHigh(review) || digitsNeeded(review))}
            </Button>
          )}
          {kinds.includes('reject') && (
            <>
              <Button kind="danger" why={why('reject')} busy={busy} onPress={() => compose('reject')}>
                {text.reject}
              </Button>
              <Button kind="quiet" why={why('reject')} busy={busy} onPress={() => compose('reject', true)}>
                {text.report}
              </Button>
            </>
          )}
          {kinds.includes('withdraw') && (
            <Button why={why('withdraw')} busy={busy} onPress={() => compose('withdraw')}>
              {text.withdraw}
            </Button>
          )}
          {kinds.includes('revoke') && (
            <Button kind="danger" why={why('revoke')} busy={busy} onPress={() => compose('revoke')}>
              {text.revoke}
            </Button>
          )}
          {kinds.length === 0 && <Link to="/">{inbox.backToList}</Link>}
          <Checked review={review} />
        </div>
      )}
    </div>
  );
}

/** That the checks were made, and the digest to compare with others. */
function Checked({ review }: { review: Review }) {
  return (
    <p className={styles.checked} title={texts.checkedHint}>
      <Icon name="verify" size={16} /> {texts.checked} <code className={styles.fingerprint}>{fingerprintOf(review.request.document.sha256)}</code>
    </p>
  );
}

function approveLabel(folded: boolean, composed: boolean): string {
  if (folded) return text.showFirst;
  return composed ? text.approveHigh : text.approve;
}

/** Whether the server checks the requester's two digits. */
export function digitsNeeded({ view }: Review): boolean {
  return view.number_matching?.needed === true;
}
