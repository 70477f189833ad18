import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Dialog } from '../../shell/dialog';
import { admin } from '../../strings/admin';
import { useSession } from '../../session/session';
import { Button } from '../../ui/button';
import { CopyText } from '../../ui/copy';
import { Literal } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import { Remaining, usePast } from '../../ui/time';
import { ActFacts } from './act-facts';
import { needsComparison } from './act-document';
import { compareFingerprint, obstacleTo, type Comparison } from './obstacle';
import { isUnsure, OfferOver, useOffer, useSignature, type OpenAct, type Signature, type Subject } from './use-signature';
import styles from './admin.module.css';

interface ActDialogProps {
  subject: Subject;
  onClose: () => void;
}

/** Shows one act exactly as it is signed, and signs it. */
export function ActDialog({ subject, onClose }: ActDialogProps) {
  const offer = useOffer(subject);
  const signature = useSignature();
  const kind = 'wish' in subject ? subject.wish.act : offer.data?.read.act.kind;
  return (
    <Dialog title={kind ? admin.acts[kind] : admin.act.document} open onOpenChange={(open) => open || onClose()}>
      {offer.isPending && <p role="status">{admin.act.preparing}</p>}
      {offer.isError && <Unreadable fault={offer.error} subject={subject} />}
      {offer.data && !signature.data && <Offered open={offer.data} signature={signature} />}
      {signature.data && offer.data && <Outcome outcome={signature.data} />}
    </Dialog>
  );
}

/** Nothing can be signed; the text as it came is there to be shown to somebody. */
function Unreadable({ fault, subject }: { fault: unknown; subject: Subject }) {
  return (
    <>
      <Problem fault={fault} />
      {'waiting' in subject && <Source title={admin.act.asSent} text={subject.waiting.document} />}
    </>
  );
}

function Offered({ open, signature }: { open: OpenAct; signature: Signature }) {
  const { me } = useSession();
  const [typed, setTyped] = useState('');
  const { act, expiresAt, document } = open.read;
  const over = usePast(expiresAt);
  const compares = needsComparison(act, me.person);
  const { comparison, left } = 'key' in act ? compareFingerprint(typed, act.key.fingerprint) : { comparison: 'same' as const, left: 0 };
  const why = obstacleTo(open, { reader: me.person, comparison, over });
  const name = open.read.disclosed.values.get('name');
  return (
    <>
      <p className={styles.quiet}>
        {admin.act.signedOf(open.signedBy.length, open.needed)} · <Remaining until={expiresAt} />
      </p>
      <ActFacts open={open} showKey={!compares || comparison === 'same'} />
      {compares && <Compare name={typeof name === 'string' ? name : undefined} typed={typed} onType={setTyped} comparison={comparison} left={left} person={act.person} />}
      {signature.isError && <Failed fault={signature.error} />}
      <div className={styles.actions}>
        <Button kind="primary" why={why} busy={signature.isPending} onPress={() => signature.mutate(open.read)}>
          {signature.isPending ? admin.act.signing : admin.act.sign}
        </Button>
      </div>
      <Source title={admin.act.text} text={document.text} />
    </>
  );
}

function Failed({ fault }: { fault: unknown }) {
  if (fault instanceof OfferOver) return <Notice tone="warn" title={admin.act.obstacles.over} alert />;
  return (
    <>
      <Problem fault={fault} />
      {isUnsure(fault) && <Notice tone="warn" title={admin.act.unsure} />}
    </>
  );
}

interface CompareProps {
  name: string | undefined;
  person: string;
  typed: string;
  onType: (typed: string) => void;
  comparison: Comparison;
  left: number;
}

/** The fingerprint is not shown before it was typed, so that nobody can agree without having asked. */
function Compare({ name, person, typed, onType, comparison, left }: CompareProps) {
  const text = admin.act;
  return (
    <div className={styles.compare} data-comparison={comparison}>
      <h3>{text.compareTitle}</h3>
      <p id="compare-hint">{text.compare(name ?? person)}</p>
      <label className={styles.field}>
        {text.compareLabel}
        <input
          className={styles.fingerprint}
          value={typed}
          onChange={(event) => onType(event.target.value)}
          aria-describedby="compare-hint compare-result"
          aria-invalid={comparison === 'different'}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
        />
      </label>
      <p id="compare-result" role="status" className={styles.compareResult}>
        {comparison === 'same' && text.compareSame}
        {comparison === 'different' && text.compareDifferent}
        {comparison === 'open' && text.digitsLeft(left)}
      </p>
    </div>
  );
}

function Outcome({ outcome }: { outcome: NonNullable<Signature['data']> }) {
  const text = admin.act;
  const { leaf_index: leaf } = outcome;
  if (outcome.status === 'recorded') {
    return (
      <Notice tone="good" title={text.recorded} alert>
        {leaf !== undefined && leaf !== null && (
          <p>
            {text.recordedAt(leaf)}{' '}
            <Link to="/audit" search={{ leaf }}>
              {text.seeLeaf}
            </Link>
          </p>
        )}
      </Notice>
    );
  }
  return (
    <Notice tone="plain" title={text.waits} alert>
      <p>{text.signedOf(outcome.signed_by.length, outcome.needed)}</p>
      <p>{text.waitsHint}</p>
      <CopyText label={text.address} text={`${location.origin}/admin/waiting?act=${outcome.document_sha256}`} />
    </Notice>
  );
}

/** The very text, on demand. */
function Source({ title, text }: { title: string; text: string }) {
  return (
    <details className={styles.source}>
      <summary>{title}</summary>
      <pre tabIndex={0} aria-label={title}>
        <Literal text={text} multiline />
      </pre>
    </details>
  );
}

