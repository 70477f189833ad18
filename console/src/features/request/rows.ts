/** The list of one's requests. */
import type { Schema } from '../../client/client';

/** A line of the list. */
export type Row = Schema<'RequestSummary'>;

const OPEN = ['evaluating', 'pending', 'approved', 'active', 'unknown', 'rolling_back'];

/** Those that wait or run, and those that are over; each in the order of the server. */
export function grouped(rows: readonly Row[]): { open: Row[]; over: Row[] } {
  const open = rows.filter(({ state }) => OPEN.includes(state));
  return { open, over: rows.filter((row) => !open.includes(row)) };
}

/** Whether a line has every word that was typed. */
export function hasWords(row: Row, typed: string): boolean {
  const text = [row.id, row.state, row.entitlement, row.title, row.subject, row.beneficiary.name].join(' ').toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
