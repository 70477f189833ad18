/** Moments: seconds since 1970 UTC, written as RFC 3339 in one spelling. */

import { refuse, type Shape } from './shape';

const FIRST = -62_135_596_800;
const LAST = 253_402_207_200;

/** The moment in its one spelling, like `2026-11-22T12:00:00Z`. */
export function written(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Reads a moment in its one spelling. */
export const moment: Shape<number> = (value) => {
  const seconds = typeof value === 'string' ? Date.parse(value) / 1000 : NaN;
  const fits = Number.isInteger(seconds) && seconds >= FIRST && seconds <= LAST && written(seconds) === value;
  return fits ? seconds : refuse('it is not a time like `2026-11-22T12:00:00Z`');
};

/** So many seconds later, not beyond what can be written. */
export function later(at: number, seconds: number): number {
  return Math.min(at + seconds, LAST);
}

/** Seconds from one moment to another; 0 when the other is not later. */
export function secondsSince(at: number, earlier: number): number {
  return Math.max(at - earlier, 0);
}
