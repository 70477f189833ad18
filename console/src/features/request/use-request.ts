import { useQuery } from '@tanstack/react-query';
import { requestQuery } from '../../client/queries';
import { useSession } from '../../session/session';
import { loadRequest, type LoadedRequest } from './load';

export interface ShownRequest {
  loaded: LoadedRequest | undefined;
  fault: unknown;
  reload: () => void;
}

/** The request as it is now: live events make it stale, and it is read and examined again. */
export function useRequest(id: string): ShownRequest {
  const { server } = useSession();
  const request = useQuery(requestQuery(id));
  const view = request.data;
  const loaded = useQuery({
    queryKey: ['examined', id, request.dataUpdatedAt],
    queryFn: () => loadRequest(view as NonNullable<typeof view>, id, server.log_origin),
    enabled: view !== undefined,
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
    placeholderData: (before: LoadedRequest | undefined) => before,
  });
  return { loaded: loaded.data, fault: loaded.error ?? (view ? undefined : request.error), reload: () => void request.refetch() };
}
