/** What the audit asks of the server. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answered, api, type Schema } from '../../client/client';
import { fromServer, NotCovered, proveLeaf, type ProvedLeaf } from './tiles';
import { queryOf, type AuditFilter } from './search';

const PAGE = 100;

/** Pages of what was searched for; a page may be empty and still say where to go on. */
export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam }) => answered(api.GET('/api/v1/audit', { params: { query: queryOf(filter, PAGE, pageParam) } })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });

/** One leaf; `null` where no event stands that the reader may see. */
export const leafQuery = (index: number) =>
  queryOptions({
    queryKey: ['audit-leaf', index],
    queryFn: async (): Promise<Schema<'AuditEntry'> | null> => {
      const { items } = await answered(api.GET('/api/v1/audit', { params: { query: { from: String(index), limit: '1' } } }));
      return items.find((item) => item.leaf_index === index) ?? null;
    },
    staleTime: Infinity,
  });

/** What the public log has at that index. */
export const proofQuery = (index: number, vkey: string) =>
  queryOptions({
    queryKey: ['audit-proof', index, vkey],
    queryFn: (): Promise<ProvedLeaf> => proveLeaf(index, vkey, fromServer),
    staleTime: Infinity,
    // The checkpoint follows within moments.
    retry: (failures, fault) => fault instanceof NotCovered && failures < 3,
  });
