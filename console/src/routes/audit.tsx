import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { Schema } from '../client/client';
import styles from '../features/audit/audit.module.css';
import { Export } from '../features/audit/export';
import { Filters } from '../features/audit/filters';
import { LeafDrawer } from '../features/audit/leaf-drawer';
import { auditQuery } from '../features/audit/queries';
import { Row } from '../features/audit/row';
import { SavedSearches } from '../features/audit/saved-searches';
import { filterOf, isEmpty, type AuditFilter } from '../features/audit/search';
import { useFreshLeaves } from '../features/audit/use-fresh';
import { useSession } from '../session/session';
import { useTitle } from '../shell/page';
import { audit } from '../strings/audit';
import { shell } from '../strings/shell';
import { Button } from '../ui/button';
import { useKeys } from '../ui/keyboard';
import { usePhone } from '../ui/phone';
import { Problem } from '../ui/problem';
import { Empty, Loading } from '../ui/states';
import { WindowList, type WindowListHandle } from '../ui/window-list';

const ROW_HEIGHT = { desktop: 42, phone: 60 };

/** Searches the log; the leaf that is looked at stands beside the list. */
export function Audit() {
  useTitle(audit.title);
  const search = useSearch({ from: '/audit' });
  const navigate = useNavigate();
  const filter = filterOf(search);
  const change = (next: AuditFilter) => void navigate({ to: '/audit', search: next, replace: true });
  const close = () => void navigate({ to: '/audit', search: filter });
  useKeys(search.leaf === undefined ? [] : [{ key: 'Escape', label: audit.leaf.close, run: close }]);
  return (
    <div className={styles.audit} data-open={search.leaf !== undefined}>
      <div className={styles.main}>
        <header className={styles.head}>
          <div className={styles.titles}>
            <h1>{audit.title}</h1>
            <Export filter={filter} />
          </div>
          <Filters filter={filter} onChange={change} />
          <SavedSearches filter={filter} />
        </header>
        <Results filter={filter} leaf={search.leaf} />
      </div>
      {search.leaf !== undefined && <LeafDrawer key={search.leaf} index={search.leaf} onClose={close} />}
    </div>
  );
}

/** A leaf, or the end of what was searched so far. */
type Item = { entry: Schema<'AuditEntry'> } | { end: true };

function Results({ filter, leaf }: { filter: AuditFilter; leaf: number | undefined }) {
  const phone = usePhone();
  const queries = useQueryClient();
  const list = useInfiniteQuery(auditQuery(filter));
  const fresh = useFreshLeaves(filter);
  const handle = useRef<WindowListHandle>(null);
  const entries = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const items: Item[] = [...entries.map((entry) => ({ entry })), ...(list.hasNextPage ? [{ end: true } as const] : [])];
  const move = (by: number) => {
    const at = positionOf(entries, leaf) + by;
    if (at >= 0 && at < entries.length) handle.current?.focus(at);
  };
  useReturn(leaf, (index) => {
    const at = entries.findIndex((entry) => entry.leaf_index === index);
    if (at >= 0) handle.current?.focus(at);
  });
  useKeys([
    { key: 'j', label: shell.keys.next, run: () => move(1) },
    { key: 'k', label: shell.keys.previous, run: () => move(-1) },
  ]);
  const [title, hint] = isEmpty(filter) ? audit.emptyLog : audit.empty;
  const showFresh = () => {
    fresh.forget();
    void queries.resetQueries({ queryKey: auditQuery(filter).queryKey });
  };
  const end = (
    <End
      last={list.data?.pages.at(-1)}
      oldestFirst={filter.order === 'oldest'}
      fetching={list.isFetchingNextPage}
      failed={list.isFetchNextPageError}
      onMore={() => void list.fetchNextPage()}
    />
  );
  return (
    <>
      <Bar found={list.data && entries.length} more={list.hasNextPage} fresh={fresh.some} onFresh={showFresh} />
      {list.isError && <Problem fault={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Loading />}
      {list.data && items.length === 0 && (
        <Empty title={title}>
          <p>{hint}</p>
        </Empty>
      )}
      {items.length > 0 && (
        <WindowList
          ref={handle}
          items={items}
          keyOf={(item) => ('end' in item ? 'end' : String(item.entry.leaf_index))}
          label={audit.list}
          rowHeight={phone ? ROW_HEIGHT.phone : ROW_HEIGHT.desktop}
        >
          {(item) => ('end' in item ? end : <Row entry={item.entry} chosen={item.entry.leaf_index === leaf} />)}
        </WindowList>
      )}
    </>
  );
}

/** The focus goes back to where somebody came from when a leaf is closed. */
function useReturn(leaf: number | undefined, focus: (index: number) => void): void {
  const before = useRef(leaf);
  useEffect(() => {
    if (leaf === undefined && before.current !== undefined) focus(before.current);
    before.current = leaf;
  });
}

interface BarProps {
  found: number | undefined;
  more: boolean;
  fresh: boolean;
  onFresh: () => void;
}

function Bar({ found, more, fresh, onFresh }: BarProps) {
  const { me } = useSession();
  return (
    <div className={styles.bar}>
      <span role="status" className={styles.quiet}>
        {found !== undefined && audit.found(found, more)}
      </span>
      {fresh && <Button onPress={onFresh}>{audit.fresh}</Button>}
      {!me.roles.includes('auditor') && (
        <span className={styles.quiet} title={audit.partlyHint}>
          {audit.partly}
        </span>
      )}
    </div>
  );
}

interface EndProps {
  last: Schema<'AuditPage'> | undefined;
  oldestFirst: boolean;
  fetching: boolean;
  failed: boolean;
  onMore: () => void;
}

/** Goes on by itself while something is found; a search that finds nothing more asks whether to go on. */
function End({ last, oldestFirst, fetching, failed, onMore }: EndProps) {
  const goesOn = !failed && (last?.items.length ?? 0) > 0;
  const latest = useRef(onMore);
  latest.current = onMore;
  useEffect(() => {
    if (goesOn && !fetching) latest.current();
  }, [goesOn, fetching]);
  const next = last?.next ?? 0;
  return (
    <div className={styles.end}>
      {goesOn && audit.loadingMore}
      {!goesOn && (
        <>
          {oldestFirst ? audit.searchedFrom(next) : audit.searchedTo(next)}
          <Button busy={fetching} onPress={onMore}>
            {audit.searchOn}
          </Button>
        </>
      )}
    </div>
  );
}

/** Where the focus is in the list, else what is looked at; before the first when neither is. */
function positionOf(entries: readonly Schema<'AuditEntry'>[], leaf: number | undefined): number {
  const focused = document.activeElement?.closest('[data-position]');
  if (focused instanceof HTMLElement) return Number(focused.dataset.position);
  return entries.findIndex((entry) => entry.leaf_index === leaf);
}
