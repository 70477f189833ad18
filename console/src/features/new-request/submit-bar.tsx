import { newRequest as texts } from '../../strings/new-request';
import { Button } from '../../ui/button';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import type { Submit } from './use-submit';
import styles from './new-request.module.css';

interface BarProps {
  submit: Submit;
  /** Why nothing can be signed now. */
  why: string | undefined;
  /** Whether a key has to sign before the passkey. */
  withKey: boolean;
  /** What the preview says, in two words. */
  summary: string;
  outcome: string;
  onPress: () => void;
}

const text = texts.submit;

/** Where one signs: always in reach, with what would come of it. */
export function SubmitBar({ submit, why, withKey, summary, outcome, onPress }: BarProps) {
  const { step, fault, changed, unsure, sendAgain } = submit;
  const busy = step.at !== 'rest';
  const said = { rest: withKey ? text.goOn : text.sign, checking: text.checking, possession: text.goOn, waiting: text.waiting, recording: text.recording }[step.at];
  return (
    <div className={styles.bar} role="region" aria-label={text.sign}>
      {fault !== null && !busy && !unsure && <Problem fault={fault} />}
      {changed && !busy && (
        <Notice tone="warn" title={text.changed[0]} alert>
          <p>{text.changed[1]}</p>
        </Notice>
      )}
      {unsure ? (
        <Notice tone="warn" title={text.unsure[0]} alert>
          <p>{text.unsure[1]}</p>
          <p>
            <Button kind="primary" onPress={sendAgain}>
              {text.again}
            </Button>
          </p>
        </Notice>
      ) : (
        <div className={styles.barRow}>
          <Button kind="primary" busy={busy} why={busy ? undefined : why} onPress={onPress}>
            {said}
          </Button>
          <p className={styles.barSummary} data-outcome={outcome}>
            <strong>{summary}</strong>
            {(step.at === 'waiting' || step.at === 'recording') && step.fingerprint !== '' ? (
              <span>
                {text.signs} <code>{step.fingerprint}</code>
              </span>
            ) : (
              <span className={styles.hint}>{text.note}</span>
            )}
          </p>
        </div>
      )}
    </div>
  );
}
