import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useRef } from 'react';
import { KEYS, requestsQuery } from '../client/queries';
import { grouped, hasWords, type Row } from '../features/request/rows';
import styles from '../features/request/request.module.css';
import { requestOf, useLogEvents } from '../live/live';
import { Page } from '../shell/page';
import { decision as decisions } from '../strings/decision';
import { requests as texts } from '../strings/request';
import { shell } from '../strings/shell';
import { Button } from '../ui/button';
import { useKeys } from '../ui/keyboard';
import { Visible } from '../ui/literal';
import { Problem } from '../ui/problem';
import { Empty, Loading } from '../ui/states';
import { Moment, Remaining } from '../ui/time';
import buttons from '../ui/ui.module.css';

const OWN = { role: 'requester' } as const;

/** What the reader asked for, and where each of it stands. */
export function Requests() {
  const { q: typed = '' } = useSearch({ from: '/requests' });
  const navigate = useNavigate({ from: '/requests' });
  const search = useRef<HTMLInputElement>(null);
  const list = useInfiniteQuery(requestsQuery(OWN));
  const all = list.data?.pages.flatMap(({ items }) => items) ?? [];
  useFresh(all);
  const place = useRef<HTMLDivElement>(null);
  useKeys([
    { key: '/', label: shell.keys.search, run: () => search.current?.focus() },
    { key: 'j', label: shell.keys.next, run: () => focusBeside(place.current, 1) },
    { key: 'k', label: shell.keys.previous, run: () => focusBeside(place.current, -1) },
  ]);
  const found = all.filter((row) => hasWords(row, typed));
  return (
    <Page title={texts.title} beside={<NewLink />}>
      {list.isError && <Problem fault={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && (
        <Empty title={texts.empty[0]}>
          <p>{texts.empty[1]}</p>
          <NewLink />
        </Empty>
      )}
      {all.length > 0 && (
        <input
          ref={search}
          type="search"
          className={styles.search}
          aria-label={texts.search}
          placeholder={texts.search}
          value={typed}
          onChange={(event) => void navigate({ search: { q: event.target.value || undefined }, replace: true })}
        />
      )}
      {all.length > 0 && found.length === 0 && <Empty title={texts.none[0]}>{texts.none[1]}</Empty>}
      <div ref={place} className={styles.groups}>
        <Groups rows={found} />
      </div>
      {list.hasNextPage && (
        <p>
          <Button busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
            {texts.older}
          </Button>
        </p>
      )}
    </Page>
  );
}

/** Moves the focus to the next or previous line; to the first from anywhere else. */
function focusBeside(place: HTMLElement | null, step: 1 | -1): void {
  const lines = [...(place?.querySelectorAll('a') ?? [])];
  const at = lines.findIndex((line) => line === document.activeElement);
  lines[at < 0 ? 0 : Math.min(lines.length - 1, Math.max(0, at + step))]?.focus();
}

function NewLink() {
  return (
    <Link to="/requests/new" search={{}} className={`${buttons.button} ${buttons.primary}`}>
      {texts.new}
    </Link>
  );
}

/** Fetches the list again when something happened to one that is in it, or a request was made. */
function useFresh(rows: readonly Row[]): void {
  const queries = useQueryClient();
  useLogEvents((event) => {
    const known = rows.some(({ id }) => id === requestOf(event));
    if (known || event.kind === 'chancery.request.submitted') void queries.invalidateQueries({ queryKey: [KEYS.requests, OWN] });
  });
}

function Groups({ rows }: { rows: readonly Row[] }) {
  const groups = grouped(rows);
  return (['open', 'over'] as const).map(
    (name) =>
      groups[name].length > 0 && (
        <section key={name} aria-labelledby={name}>
          <h2 id={name}>{texts.groups[name]}</h2>
          <ul className={styles.rows}>
            {groups[name].map((row) => (
              <li key={row.id}>
                <RowLink row={row} />
              </li>
            ))}
          </ul>
        </section>
      ),
  );
}

function RowLink({ row }: { row: Row }) {
  const { id, state, title, subject, risk_score: risk, due_at: due, created_at: made } = row;
  return (
    <Link to="/requests/$id" params={{ id }} className={styles.row}>
      <span className={styles.rowWhat}>
        <strong>
          <Visible text={title} />
        </strong>
        {subject && (
          <span>
            <Visible text={subject} />
          </span>
        )}
      </span>
      <span className={styles.state} data-state={state}>
        {decisions.states[state] ?? state}
      </span>
      <span className={styles.rowFoot}>
        <Moment value={made} />
        <span>{texts.risk(risk)}</span>
        {due && (
          <span>
            {texts.clocks[state]} <Remaining until={due} />
          </span>
        )}
      </span>
    </Link>
  );
}
