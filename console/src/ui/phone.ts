/** Whether the window is as narrow as a phone; the style sheets use the same width. */
import { useSyncExternalStore } from 'react';

const NARROW = '(max-width: 48rem)';

export function usePhone(): boolean {
  return useSyncExternalStore(subscribe, () => matchMedia(NARROW).matches);
}

function subscribe(listener: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}
