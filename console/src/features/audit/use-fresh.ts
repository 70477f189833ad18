import { useState } from 'react';
import { useLogEvents } from '../../live/live';
import type { LogEvent } from '../../live/stream';
import { canonicalize } from '../../verify/canonical';
import type { AuditFilter } from './search';

/** Whether the log brought something that the search may have missed; the list does not move by itself. */
export function useFreshLeaves(filter: AuditFilter): { some: boolean; forget: () => void } {
  const search = canonicalize(filter);
  const [missed, setMissed] = useState<string>();
  useLogEvents((event) => {
    if (mayFit(filter, event)) setMissed(search);
  });
  return { some: missed === search, forget: () => setMissed(undefined) };
}

/** By what an event says of itself; words and people are known only by asking. */
export function mayFit({ stream, kind, until, order }: AuditFilter, event: Pick<LogEvent, 'stream' | 'kind'>): boolean {
  if (until !== undefined || order === 'oldest') return false;
  const named = event.kind.replace(/^chancery\./, '');
  return event.stream.startsWith(stream ?? '') && named.startsWith(kind ?? '');
}
