import { useInfiniteQuery } from '@tanstack/react-query';
import { requestsQuery } from '../../client/queries';

const MOST = 3;

/** Names of what this person asked for lately, the latest first. */
export function useLatestEntitlements(): string[] {
  const own = useInfiniteQuery(requestsQuery({ role: 'requester' }));
  const names = own.data?.pages[0]?.items.map(({ entitlement }) => entitlement) ?? [];
  return [...new Set(names)].slice(0, MOST);
}
