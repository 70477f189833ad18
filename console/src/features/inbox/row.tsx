import { Link } from '@tanstack/react-router';
import { inbox as text } from '../../strings/inbox';
import { shortDuration } from '../../ui/format';
import { Visible } from '../../ui/literal';
import { Remaining } from '../../ui/time';
import { Unseen } from '../../ui/states';
import type { RowItem } from './rows';
import styles from './inbox.module.css';

/**
 * One request: risk, one sentence, time left. It leads to the decision and is none: what is decided on is read from
 * signed bytes there, so a shortened row misleads nobody.
 */
export function Row({ row: { item, gone } }: { row: RowItem }) {
  const { sentence } = text;
  const beneficiary = item.beneficiary.person === item.requester.person ? undefined : (item.beneficiary.name ?? item.beneficiary.person);
  return (
    <Link to="/inbox/$id" params={{ id: item.id }} search className={styles.row} data-tier={item.tier} data-gone={gone} preload={false}>
      <span className={styles.score}>
        <Unseen>{text.risk(item.risk_score, item.tier)}</Unseen>
        <span aria-hidden title={text.risk(item.risk_score, item.tier)}>
          {item.risk_score}
        </span>
      </span>
      <span className={styles.sentence}>
        <strong>
          <Visible text={item.requester.name ?? item.requester.person} />
        </strong>{' '}
        {sentence.asks}{' '}
        <strong>
          <Visible text={item.title} />
        </strong>
        {item.subject !== '' && (
          <>
            {' '}
            {sentence.to} <Visible text={item.subject} />
          </>
        )}
        {beneficiary !== undefined && (
          <>
            {' '}
            <Visible text={sentence.for(beneficiary)} />
          </>
        )}{' '}
        {sentence.during(shortDuration(item.grant_seconds))}
      </span>
      <span className={styles.foot}>
        {gone ? text.gone : item.state === 'pending' ? item.due_at && <Remaining until={item.due_at} /> : (text.states[item.state] ?? item.state)}
        {item.state === 'pending' && item.waiting_for.length > 0 && !gone && (
          <span className={styles.needs}>{text.waitingFor(item.waiting_for.join(', '))}</span>
        )}
      </span>
    </Link>
  );
}
