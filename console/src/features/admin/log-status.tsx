import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schema } from '../../client/client';
import { useSession } from '../../session/session';
import { admin } from '../../strings/admin';
import { Literal } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import { Loading } from '../../ui/states';
import { Moment, Relative } from '../../ui/time';
import { Facts } from './act-facts';
import { logQuery } from './queries';
import { readLogView } from './trust';
import styles from './admin.module.css';

/** How the log stands, and what waits to follow from it. */
export function LogStatus() {
  const text = admin.log;
  const log = useQuery(logQuery);
  return (
    <section className={styles.block}>
      <div className={styles.blockHead}>
        <h2>{text.title}</h2>
        <Link to="/audit">{text.seeAudit}</Link>
      </div>
      {log.isError && <Problem fault={log.error} retry={() => void log.refetch()} />}
      {log.isPending && <Loading />}
      {log.data && <Log view={log.data} />}
    </section>
  );
}

function Log({ view }: { view: Schema<'LogView'> }) {
  const text = admin.log;
  const { server } = useSession();
  const facts = useQuery({ queryKey: ['log-facts', view.checkpoint, view.root, view.size], queryFn: () => readLogView(view, server.log_vkey), retry: false });
  const { fault, same } = facts.data ?? { fault: undefined, same: true };
  return (
    <>
      {!same && <Notice tone="bad" title={text.differs} />}
      {fault !== undefined && <Notice tone="bad" title={`${text.signature}: ${text.forged(fault)}`} />}
      <Facts
        rows={[
          [text.origin, view.origin],
          [text.size, view.size],
          [text.root, <code key="root">{view.root}</code>],
          [
            text.newest,
            <span key="newest">
              <Moment value={view.newest_at} /> (<Relative value={view.newest_at} />)
            </span>,
          ],
          [text.signature, facts.data && fault === undefined ? text.signed : '…'],
          [text.backlog, <Backlog key="backlog" effects={view.effects} />],
        ]}
      />
      <details className={styles.source}>
        <summary>{text.checkpoint}</summary>
        <pre tabIndex={0} aria-label={text.checkpoint}>
          <Literal text={view.checkpoint} multiline />
        </pre>
      </details>
    </>
  );
}

function Backlog({ effects }: { effects: Schema<'EffectsView'> }) {
  const text = admin.log;
  if (effects.due === 0) return text.idle;
  return (
    <>
      {text.due(effects.due)}
      {effects.oldest_due && (
        <>
          {' · '}
          {text.oldest} <Moment value={effects.oldest_due} />
        </>
      )}
      {effects.alarmed > 0 && (
        <>
          {' · '}
          <strong>{text.alarmed(effects.alarmed)}</strong>
        </>
      )}
    </>
  );
}
