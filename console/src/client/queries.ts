/** What is asked of the server, and under which keys it is kept. Live events make these stale (live/live.tsx). */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answered, api } from './client';

/** First members of the keys. */
export const KEYS = { server: 'server', whoami: 'whoami', requests: 'requests', request: 'request', persons: 'persons' } as const;

/** Who the server is: log, relying party, policy. */
export const serverQuery = queryOptions({
  queryKey: [KEYS.server],
  queryFn: () => answered(api.GET('/api/v1/server')),
  staleTime: 60_000,
});

/** Who is signed in here. */
export const whoamiQuery = queryOptions({
  queryKey: [KEYS.whoami],
  queryFn: () => answered(api.GET('/api/v1/whoami')),
  retry: false,
  staleTime: 60_000,
});

/** One request with everything that the server says about it. */
export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: [KEYS.request, id],
    queryFn: () => answered(api.GET('/api/v1/requests/{id}', { params: { path: { id } } })),
  });

/** Filters of a list, as the API names them. */
export interface RequestFilter {
  view?: InboxView | 'mine';
  role?: 'requester' | 'approver' | 'any';
  state?: string;
  entitlement?: string;
}

const PAGE = '200';

/** Pages of requests, newest first. */
export const requestsQuery = (filter: RequestFilter) =>
  infiniteQueryOptions({
    queryKey: [KEYS.requests, filter],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET('/api/v1/requests', {
          params: { query: { ...filter, limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

/** The lists of the inbox. */
export const INBOX_VIEWS = ['needs_me', 'waiting_others', 'decided_today'] as const;
export type InboxView = (typeof INBOX_VIEWS)[number];

const HEAD = '50';

/** One list of the inbox, whole. It is corrected by {@link inboxHeadQuery} and not fetched again by events. */
export const inboxQuery = (view: InboxView) => ({ ...requestsQuery({ view }), staleTime: Infinity, refetchOnWindowFocus: false });

/** The newest of a list of the inbox. */
export const inboxHeadQuery = (view: InboxView) =>
  queryOptions({
    queryKey: [KEYS.requests, 'head', view],
    queryFn: () => answered(api.GET('/api/v1/requests', { params: { query: { view, limit: HEAD } } })),
  });

/** Everything that may be asked for. */
export const entitlementsQuery = queryOptions({
  queryKey: ['entitlements'],
  queryFn: () => answered(api.GET('/api/v1/entitlements')),
});

/** Everybody, by id. */
export const personsQuery = queryOptions({
  queryKey: [KEYS.persons],
  queryFn: () => answered(api.GET('/api/v1/persons')),
});

/** What came of an approved request. */
export const grantQuery = (id: string) =>
  queryOptions({
    queryKey: [KEYS.request, id, 'grant'],
    queryFn: () => answered(api.GET('/api/v1/grants/{id}', { params: { path: { id } } })),
  });
