import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { decision as texts } from '../../strings/decision';
import { common } from '../../strings/common';
import { Button } from '../../ui/button';
import { duration } from '../../ui/format';
import type { Wish } from './offer';
import type { Review } from './review';
import styles from './decision.module.css';

/** A decision that is being written. */
export interface Draft {
  kind: Wish['kind'];
  suspicious: boolean;
}

interface ComposeProps {
  draft: Draft;
  review: Review;
  busy: boolean;
  why: string | undefined;
  onCancel: () => void;
  onSign: (wish: Wish, digits: string) => void;
}

const text = texts.act;
const LONGEST_REASON = 2000;

/** What a decision needs before it is signed: a reason, or the requester's digits. */
export function Compose({ draft, review, busy, why, onCancel, onSign }: ComposeProps) {
  const [reason, setReason] = useState('');
  const [digits, setDigits] = useState('');
  const needsReason = draft.kind === 'reject' || draft.kind === 'revoke';
  const needsDigits = draft.kind === 'approve' && review.view.number_matching?.needed === true;
  const missing = (needsReason && reason.trim() === '' && text.reasonMissing) || (needsDigits && !/^\d\d$/.test(digits) && text.numberMissing) || undefined;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input, textarea, button')?.focus();
  }, []);
  const sign = () => onSign({ kind: draft.kind, reason: reason.trim(), suspicious: draft.suspicious }, needsDigits ? digits : '');
  return (
    <form
      ref={form}
      className={styles.compose}
      onSubmit={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !busy) onCancel();
      }}
    >
      {draft.suspicious && <p className={styles.lead}>{text.reportLead}</p>}
      {draft.kind === 'approve' && <ApproveLead review={review} needsDigits={needsDigits} />}
      {needsDigits && (
        <Field label={text.number} hint={`${text.numberHint} ${text.misses(review.view.number_matching?.misses_left ?? 0)}`}>
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              className={styles.digits}
              inputMode="numeric"
              autoComplete="off"
              value={digits}
              onChange={(event) => setDigits(twoDigits(event.target.value))}
            />
          )}
        </Field>
      )}
      {draft.kind !== 'approve' && (
        <Field label={text.reason} hint={needsReason ? text.reasonNeeded : text.reasonOptional}>
          {(id, hint) => (
            <textarea id={id} aria-describedby={hint} rows={2} maxLength={LONGEST_REASON} value={reason} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
      )}
      <div className={styles.buttons}>
        <Button kind={draft.kind === 'approve' ? 'primary' : 'danger'} why={why ?? missing} busy={busy} onPress={sign}>
          {signLabel(draft)}
        </Button>
        <Button busy={busy} onPress={onCancel}>
          {common.back}
        </Button>
      </div>
    </form>
  );
}

/** The digits of what was typed or pasted, such as `4 2`. */
export function twoDigits(typed: string): string {
  return typed.replace(/\D/g, '').slice(0, 2);
}

function ApproveLead({ review, needsDigits }: { review: Review; needsDigits: boolean }) {
  const { grant_seconds } = review.verdict.content.constraints;
  const allowed = text.grant(duration(grant_seconds));
  return <p className={styles.lead}>{needsDigits ? text.highLead(allowed) : text.highLeadAlone(allowed)}</p>;
}

function signLabel({ kind, suspicious }: Draft): string {
  if (suspicious) return text.signReport;
  return { approve: text.signApprove, reject: text.signReject, withdraw: text.signWithdraw, revoke: text.signRevoke }[kind];
}

function Field({ label, hint, children }: { label: string; hint: string; children: (id: string, hint: string) => ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children(id, `${id}-hint`)}
      <p id={`${id}-hint`} className={styles.quiet}>
        {hint}
      </p>
    </div>
  );
}
