import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useRef, useState, type ReactNode } from 'react';
import { KEYS } from '../client/queries';
import { follow, type Connection } from './follow';
import type { LogEvent } from './stream';

type Listener = (event: LogEvent) => void;

interface Live {
  connection: Connection;
  listen(listener: Listener): () => void;
}

const LiveContext = createContext<Live | undefined>(undefined);

/** Keeps everything inside up to date with the log. Lists are not fetched again by events: a screen decides when. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  const listeners = useRef(new Set<Listener>());
  useEffect(() => {
    const controller = new AbortController();
    void follow(
      {
        connection: setConnection,
        signedOut: () => void queries.invalidateQueries({ queryKey: [KEYS.whoami] }),
        opened: (afresh) => {
          // What happened between the first answers and this stream is in nobody's hands.
          if (afresh) void queries.invalidateQueries({ predicate: aboutRequests });
        },
        notice: (notice) => {
          if (notice.kind === 'gap') void queries.invalidateQueries();
          if (notice.kind !== 'event') return;
          refresh(queries, notice.event);
          for (const listener of listeners.current) listener(notice.event);
        },
      },
      controller.signal,
    );
    return () => controller.abort();
  }, [queries]);
  const listen = (listener: Listener) => {
    listeners.current.add(listener);
    return () => void listeners.current.delete(listener);
  };
  return <LiveContext value={{ connection, listen }}>{children}</LiveContext>;
}

/** Whether what is shown follows the log by itself. */
export function useConnection(): Connection {
  return useLive().connection;
}

/** Calls `listener` for each event of the log that this person may see. */
export function useLogEvents(listener: Listener): void {
  const { listen } = useLive();
  const latest = useRef(listener);
  latest.current = listener;
  // `listen` is a new function each time, over the same set: joining once is right.
  useEffect(() => listen((event) => latest.current(event)), []);
}

/** The id of the request whose stream this is. */
export function requestOf(event: LogEvent): string | undefined {
  const [noun, id] = event.stream.split('/');
  return noun === 'request' ? id : undefined;
}

function useLive(): Live {
  const live = use(LiveContext);
  if (!live) throw new Error('used outside LiveProvider');
  return live;
}

function aboutRequests({ queryKey }: { queryKey: readonly unknown[] }): boolean {
  return queryKey[0] === KEYS.requests || queryKey[0] === KEYS.request;
}

function refresh(queries: QueryClient, event: LogEvent): void {
  const id = requestOf(event);
  if (id) void queries.invalidateQueries({ queryKey: [KEYS.request, id] });
  else void queries.invalidateQueries({ queryKey: [KEYS.whoami] });
}
