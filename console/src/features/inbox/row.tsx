import { Link } from '@tanstack/react-router';
import type { Schema } from '../../client/client';
import { inbox as text } from '../../strings/inbox';
import { Visible } from '../../ui/literal';
import { Remaining } from '../../ui/time';
import styles from './inbox.module.css';

/** One request in the list: risk, one sentence, time left. What is decided on is read from signed bytes, not from here. */
export function Row({ item }: { item: Schema<'RequestSummary'> }) {
  return (
    <Link to="/" className={styles.row}>
      <span className={styles.score} title={text.riskAlone(item.risk_score)}>
        {item.risk_score}
      </span>
      <span className={styles.sentence}>
        <strong>
          <Visible text={item.requester.name ?? item.requester.person} />
        </strong>{' '}
        {text.sentence.asks} <Visible text={item.entitlement} />
      </span>
      <span className={styles.left}>{item.due_at && <Remaining until={item.due_at} />}</span>
    </Link>
  );
}
