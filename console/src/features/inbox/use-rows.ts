import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { inboxHeadQuery, inboxQuery, type InboxView } from '../../client/queries';
import { requestOf, useLogEvents } from '../../live/live';
import { merge, settle, type RowItem, type Summary } from './rows';

export interface Rows {
  rows: RowItem[];
  fresh: number;
  showFresh: () => void;
  pending: boolean;
  fault: Error | null;
  retry: () => void;
  /** Whether older ones are still on their way. */
  loadingMore: boolean;
}

const QUIET_MS = 400;

/** The rows of a list; what the log brings is asked for at once and shown when somebody wants it. */
export function useRows(view: InboxView): Rows {
  const queries = useQueryClient();
  const list = useInfiniteQuery(inboxQuery(view));
  const head = useQuery(inboxHeadQuery(view));
  const [shown, setShown] = useState<{ view: InboxView; items: readonly Summary[] }>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;

  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useLogEvents((event) => {
    if (requestOf(event) === undefined) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void queries.invalidateQueries({ queryKey: inboxHeadQuery(view).queryKey }), QUIET_MS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);

  const now = useMemo(() => {
    const pages = list.data?.pages.flatMap(({ items }) => items) ?? [];
    return merge(head.data?.items, head.data !== undefined && !head.data.next_cursor, pages);
  }, [list.data, head.data]);
  const ready = list.data !== undefined && !list.hasNextPage;
  const standing = shown?.view === view ? shown.items : undefined;
  useEffect(() => {
    // Once all were there, they stand; what comes later is new.
    if (ready && standing === undefined) setShown({ view, items: now });
  }, [ready, standing, now, view]);

  const { rows, fresh } = useMemo(() => settle(standing, now), [standing, now]);
  return {
    rows,
    fresh,
    showFresh: () => setShown({ view, items: now }),
    pending: list.isPending,
    fault: list.data === undefined ? list.error : null,
    retry: () => void list.refetch(),
    loadingMore: list.hasNextPage,
  };
}
