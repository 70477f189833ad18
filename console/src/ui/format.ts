/** Moments, durations and digests as text. */
import { common } from '../strings/common';

/** Milliseconds since 1970 of an RFC 3339 UTC time in seconds; NaN for anything else. */
export function moment(text: unknown): number {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return NaN;
  return Date.parse(text);
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** The whole duration in words, such as `1 hour 30 minutes`. */
export function duration(seconds: number): string {
  const parts: string[] = [];
  let left = Math.max(0, Math.floor(seconds));
  for (const [unit, length] of UNITS) {
    const count = Math.floor(left / length);
    if (count > 0) parts.push(common.units[unit](count));
    left -= count * length;
  }
  return parts.join(' ') || common.noTime;
}

/** A duration in at most two short units, such as `1 h 30 m`, for columns. */
export function shortDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([, length]) => whole >= length);
  if (first < 0) return common.shortUnits.second(0);
  const parts: string[] = [];
  let left = whole;
  for (const [unit, length] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(left / length);
    if (count > 0) parts.push(common.shortUnits[unit](count));
    left -= count * length;
  }
  return parts.join(' ');
}

/** First digits of a digest in groups, for eyes that compare; the command line prints the same. */
export function fingerprintOf(digest: string): string {
  return digest.slice(0, 20).match(/.{1,4}/g)?.join(' ') ?? '';
}

/** The moment as UTC, such as `2026-03-01 14:05:09 UTC`. */
export function utc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A count of bytes, such as `12.3 kB`. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return common.bytes(bytes);
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
