/** Searches that were saved. They stay in this browser. */
import { useSyncExternalStore } from 'react';
import { filterOf, readSearch, type AuditFilter } from './search';

export interface SavedSearch {
  name: string;
  filter: AuditFilter;
}

const STORED = 'chancery-audit-searches';
const MOST = 30;
const listeners = new Set<() => void>();
let current: readonly SavedSearch[] | undefined;

/** From what the browser kept; a spoilt entry is as good as none. */
export function readSaved(stored: string | null): SavedSearch[] {
  try {
    const list: unknown = JSON.parse(stored ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.flatMap((item: unknown) => {
      const { name, filter } = (item ?? {}) as { name?: unknown; filter?: unknown };
      if (typeof name !== 'string' || name === '' || typeof filter !== 'object' || filter === null) return [];
      return [{ name, filter: filterOf(readSearch(filter as Record<string, unknown>)) }];
    });
  } catch {
    return [];
  }
}

/** The newest first; a name is kept once. */
export function withSearch(saved: readonly SavedSearch[], search: SavedSearch): SavedSearch[] {
  return [search, ...saved.filter(({ name }) => name !== search.name)].slice(0, MOST);
}

export function useSavedSearches(): readonly SavedSearch[] {
  return useSyncExternalStore(subscribe, savedSearches);
}

export function saveSearch(search: SavedSearch): void {
  keep(withSearch(savedSearches(), { name: search.name, filter: filterOf(search.filter) }));
}

export function forgetSearch(name: string): void {
  keep(savedSearches().filter((search) => search.name !== name));
}

function savedSearches(): readonly SavedSearch[] {
  current ??= readSaved(localStorage.getItem(STORED));
  return current;
}

function keep(searches: readonly SavedSearch[]): void {
  current = searches;
  localStorage.setItem(STORED, JSON.stringify(searches));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
