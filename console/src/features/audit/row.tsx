import { Link } from '@tanstack/react-router';
import type { Schema } from '../../client/client';
import { Literal } from '../../ui/literal';
import { Moment } from '../../ui/time';
import { PersonById } from '../admin/person-by-id';
import { summarise } from './summary';
import styles from './audit.module.css';

/** One leaf in a line. */
export function Row({ entry, chosen }: { entry: Schema<'AuditEntry'>; chosen: boolean }) {
  const { title, detail, person } = summarise(entry);
  return (
    <Link to="/audit" search={(before) => ({ ...before, leaf: entry.leaf_index })} replace={false} resetScroll={false} className={styles.row} aria-current={chosen ? 'true' : undefined} activeProps={{}}>
      <span className={styles.index}>{entry.leaf_index}</span>
      <span className={styles.time}>
        <Moment value={entry.time} />
      </span>
      <span className={styles.what}>
        <strong>{title}</strong> {detail && <Literal text={detail} />}
      </span>
      <span className={styles.who}>{person && <PersonById id={person} />}</span>
      <code className={styles.stream}>{entry.stream}</code>
    </Link>
  );
}
