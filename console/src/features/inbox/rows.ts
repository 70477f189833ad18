/** Rows that never move under a finger: what is new waits, what is gone stays in its place until somebody asks. */
import type { Schema } from '../../client/client';

export type Summary = Schema<'RequestSummary'>;

export interface RowItem {
  item: Summary;
  /** No longer in this list. */
  gone: boolean;
}

/** What is shown, given what stands there and what the server has now. */
export interface Settled {
  rows: RowItem[];
  /** Rows that wait to be shown. */
  fresh: number;
}

/** `shown` are the ids in the order in which they stand; `undefined` shows all that there is. */
export function settle(shown: readonly Summary[] | undefined, now: readonly Summary[]): Settled {
  if (shown === undefined) return { rows: now.map((item) => ({ item, gone: false })), fresh: 0 };
  const current = new Map(now.map((item) => [item.id, item]));
  const rows = shown.map((before) => {
    const item = current.get(before.id);
    return { item: item ?? before, gone: item === undefined };
  });
  const known = new Set(shown.map(({ id }) => id));
  return { rows, fresh: now.filter(({ id }) => !known.has(id)).length };
}

/** The pages as they were loaded, corrected by a newer first page: what is younger than its end and not in it is gone. */
export function merge(head: readonly Summary[] | undefined, headIsAll: boolean, pages: readonly Summary[]): Summary[] {
  if (head === undefined) return unique(pages);
  if (headIsAll) return unique(head);
  const oldest = head.at(-1);
  // A page may hold nothing and not be the last: it says nothing about those that come after.
  if (oldest === undefined) return unique(pages);
  const inHead = new Set(head.map(({ id }) => id));
  return unique([...head, ...pages.filter((item) => !inHead.has(item.id) && comesAfter(item, oldest))]);
}

/** Ids are ULIDs: they sort by the time at which they were made. */
function comesAfter(item: Summary, oldest: Summary): boolean {
  return item.id < oldest.id;
}

function unique(items: readonly Summary[]): Summary[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}

/** The items that have every word somewhere in what a row says. */
export function matching(items: readonly RowItem[], typed: string): RowItem[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...items];
  return items.filter(({ item }) => {
    const said = searched(item);
    return words.every((word) => said.includes(word));
  });
}

const texts = new WeakMap<Summary, string>();

function searched(item: Summary): string {
  const known = texts.get(item);
  if (known !== undefined) return known;
  const parts = [item.requester.name, item.beneficiary.name, item.entitlement, item.title, item.subject, item.tier, item.state, item.id];
  const made = parts.filter(Boolean).join(' ').toLowerCase();
  texts.set(item, made);
  return made;
}
