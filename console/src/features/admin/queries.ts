/** What the administration asks of the server. */
import { infiniteQueryOptions, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { answered, api, type Schema } from '../../client/client';
import { KEYS, personsQuery } from '../../client/queries';
import { useLogEvents } from '../../live/live';

const ADMIN = { acts: 'identity-acts', enrolments: 'enrolments', alerts: 'alerts' } as const;

// Offers and enrolments are no events, so nothing announces them.
const LOOK_AGAIN_MS = 20_000;

export const waitingActsQuery = queryOptions({
  queryKey: [ADMIN.acts],
  queryFn: () => answered(api.GET('/api/v1/identity/waiting')),
  refetchInterval: LOOK_AGAIN_MS,
});

export const enrolmentsQuery = queryOptions({
  queryKey: [ADMIN.enrolments],
  queryFn: () => answered(api.GET('/api/v1/enrolments')),
  refetchInterval: LOOK_AGAIN_MS,
});

export const policyQuery = queryOptions({ queryKey: ['policy'], queryFn: () => answered(api.GET('/api/v1/policy')) });

export const trustQuery = queryOptions({ queryKey: ['trust'], queryFn: () => answered(api.GET('/api/v1/trust')) });

export const logQuery = queryOptions({
  queryKey: ['log'],
  queryFn: () => answered(api.GET('/api/v1/log')),
  refetchInterval: LOOK_AGAIN_MS,
});

const PAGE = '50';

export const alertsQuery = (state: 'open' | undefined) =>
  infiniteQueryOptions({
    queryKey: [ADMIN.alerts, state ?? 'all'],
    queryFn: ({ pageParam }) =>
      answered(api.GET('/api/v1/alerts', { params: { query: { limit: PAGE, ...(state && { state }), ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

/** Asks again for what an act may have changed. */
export function useRefreshPeople(): () => void {
  const queries = useQueryClient();
  return () => {
    for (const key of [KEYS.persons, ADMIN.acts, ADMIN.enrolments, KEYS.whoami]) void queries.invalidateQueries({ queryKey: [key] });
  };
}

/** Keeps people and alerts as the log has them while the component is shown. */
export function useFollowPeople(): void {
  const refresh = useRefreshPeople();
  const queries = useQueryClient();
  useLogEvents(({ stream }) => {
    if (stream.startsWith('identity/')) refresh();
    if (stream.startsWith('alert/')) void queries.invalidateQueries({ queryKey: [ADMIN.alerts] });
  });
}

/** People by id, as far as the directory is there. */
export function usePeople(): (id: string) => Schema<'PersonReference'> {
  const { data } = useQuery(personsQuery);
  const names = new Map(data?.items.map(({ person, name }) => [person, name]));
  return (id) => ({ person: id, name: names.get(id) ?? null });
}
