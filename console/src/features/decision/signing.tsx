import { decision as texts } from '../../strings/decision';
import { duration } from '../../ui/format';
import { Moment } from '../../ui/time';
import type { Step } from './use-act';
import styles from './decision.module.css';

/** What goes on while a decision is made; what is signed is said before the passkey is touched. */
export function Signing({ step }: { step: Step }) {
  const text = texts.act;
  return (
    <div role="status" className={styles.signing}>
      {step.at === 'preparing' && <p>{text.preparing}</p>}
      {(step.at === 'waiting' || step.at === 'recording') && (
        <>
          <p>
            <strong>{step.at === 'waiting' ? text.waiting : text.recording}</strong>
          </p>
          <p className={styles.quiet}>
            {text.signsFingerprint} <code className={styles.fingerprint}>{step.offer.document.fingerprint}</code> ·{' '}
            {texts.kinds[step.wish.kind]}
            {step.wish.kind === 'approve' && (
              <>
                , {text.grant(duration(step.offer.grant.max_seconds))}, {text.neverAfter} <Moment value={step.offer.grant.not_after} />
              </>
            )}
            {step.offer.stages.length > 0 && `, ${text.as(step.offer.stages.join(', '))}`}
          </p>
        </>
      )}
    </div>
  );
}
