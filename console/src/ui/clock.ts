/** One clock for everything on the screen that counts. */
import { useSyncExternalStore } from 'react';

const TICK_MS = 1000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

/** What `read` makes of the present, in milliseconds since 1970; drawn again only when that changes. */
export function useClock<Value extends string | number | boolean>(read: (now: number) => Value): Value {
  const snapshot = () => {
    if (timer === undefined) now = Date.now();
    return read(now);
  };
  return useSyncExternalStore(subscribe, snapshot);
}
