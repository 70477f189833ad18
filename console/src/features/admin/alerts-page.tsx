import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { answered, api, type Schema } from '../../client/client';
import { useSession } from '../../session/session';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { Person } from '../../ui/person';
import { Problem } from '../../ui/problem';
import { Empty, Loading } from '../../ui/states';
import { Moment, Relative } from '../../ui/time';
import { Facts } from './act-facts';
import { useWhyNotAdministrator } from './may';
import { alertsQuery } from './queries';
import styles from './admin.module.css';

/** What somebody has to look at. */
export function AlertsPage() {
  const text = admin.alerts;
  const { me } = useSession();
  const { state } = useSearch({ from: '/admin/alerts' });
  const list = useInfiniteQuery(alertsQuery(state === 'all' ? undefined : 'open'));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [title, hint] = state === 'all' ? text.emptyAll : text.emptyOpen;
  const seesAll = me.roles.some((role) => role === 'identity_admin' || role === 'auditor');
  return (
    <>
      <nav aria-label={text.show} className={styles.chips}>
        <Choice state={undefined} chosen={state !== 'all'} label={text.states.open} />
        <Choice state="all" chosen={state === 'all'} label={text.states.all} />
      </nav>
      {!seesAll && <p className={styles.quiet}>{text.onlyOwn}</p>}
      {list.isError && <Problem fault={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Loading />}
      {list.data && items.length === 0 && (
        <Empty title={title}>
          <p>{hint}</p>
        </Empty>
      )}
      <ul className={styles.cards}>
        {items.map((alert) => (
          <li key={alert.id}>
            <Alert alert={alert} />
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <div className={styles.actions}>
          <Button busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
      <p className={styles.quiet}>{text.reach}</p>
    </>
  );
}

function Choice({ state, chosen, label }: { state: 'all' | undefined; chosen: boolean; label: string }) {
  return (
    <Link to="/admin/alerts" search={{ state }} className={styles.choice} aria-current={chosen ? 'true' : undefined} activeProps={{}} activeOptions={{ exact: true, includeSearch: true }}>
      {label}
    </Link>
  );
}

function Alert({ alert }: { alert: Schema<'AlertView'> }) {
  const text = admin.alerts;
  const open = !alert.acknowledged_at;
  return (
    <article className={styles.card} data-tone={open ? 'bad' : undefined}>
      <div className={styles.blockHead}>
        <h2>{text.reasons[alert.reason] ?? alert.reason}</h2>
        <span className={styles.quiet}>
          <Relative value={alert.raised_at} />
        </span>
      </div>
      <Facts
        rows={[
          [
            text.request,
            <Link key="request" to="/inbox/$id" params={{ id: alert.request }}>
              <code>{alert.request}</code>
            </Link>,
          ],
          [text.requester, <Person key="requester" person={alert.requester} withId />],
          [text.raisedBy, <Person key="raised" person={alert.raised_by} withId />],
          [text.raisedAt, <Moment key="at" value={alert.raised_at} />],
          ...acknowledgement(alert),
        ]}
      />
      {alert.freezes && <p>{text.freezes}</p>}
      {open && <Acknowledge alert={alert} />}
    </article>
  );
}

function acknowledgement({ acknowledged_by: by, acknowledged_at: at }: Schema<'AlertView'>): [string, React.ReactNode][] {
  if (!by || !at) return [];
  return [
    [
      admin.alerts.acknowledged,
      <span key="acknowledged">
        <Person person={by} withId /> · <Moment value={at} />
      </span>,
    ],
  ];
}

/** In two steps: it may set somebody free whom a colleague stopped. */
function Acknowledge({ alert }: { alert: Schema<'AlertView'> }) {
  const text = admin.alerts;
  const why = useWhyNotAdministrator();
  const queries = useQueryClient();
  const [asked, setAsked] = useState(false);
  const acknowledge = useMutation({
    mutationFn: () => answered(api.POST('/api/v1/alerts/{id}/acknowledge', { params: { path: { id: alert.id } } })),
    onSettled: () => void queries.invalidateQueries({ queryKey: [alertsQuery(undefined).queryKey[0]] }),
  });
  return (
    <>
      {acknowledge.isError && <Problem fault={acknowledge.error} />}
      {asked && <p role="status">{text.confirm}</p>}
      <div className={styles.actions}>
        {!asked && (
          <Button why={why} onPress={() => setAsked(true)}>
            {alert.freezes ? text.acknowledgeFrozen : text.acknowledge}
          </Button>
        )}
        {asked && (
          <>
            <Button kind="primary" busy={acknowledge.isPending} onPress={() => acknowledge.mutate()}>
              {text.yes}
            </Button>
            <Button onPress={() => setAsked(false)}>{text.no}</Button>
          </>
        )}
      </div>
    </>
  );
}
