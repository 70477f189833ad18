/** What is asked of the server, and under which keys it is kept. Live events make these stale (live/live.tsx). */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answered, api } from './client';

/** First members of the keys. */
export const KEYS = { server: 'server', whoami: 'whoami', requests: 'requests', request: 'request' } as const;

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
