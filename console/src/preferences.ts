/** What a person prefers in this browser. Nothing of it leaves the browser. */
import { useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;

export interface Preferences {
  theme: (typeof THEMES)[number];
  /** Whether single keys such as `j` do something (WCAG 2.2, 2.1.4). */
  singleKeys: boolean;
}

const STORED = 'chancery-preferences';
const DEFAULTS: Preferences = { theme: 'system', singleKeys: true };
const listeners = new Set<() => void>();
let current = read();

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  localStorage.setItem(STORED, JSON.stringify(current));
  applyTheme();
  for (const listener of listeners) listener();
}

/** Makes `light-dark()` follow the preferred theme. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = current.theme;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Preferences {
  if (typeof localStorage === 'undefined') return DEFAULTS;
  try {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? '{}') as Partial<Preferences>;
    return {
      theme: THEMES.find((theme) => theme === stored.theme) ?? DEFAULTS.theme,
      singleKeys: stored.singleKeys ?? DEFAULTS.singleKeys,
    };
  } catch {
    // A spoilt entry is as good as none.
    return DEFAULTS;
  }
}
