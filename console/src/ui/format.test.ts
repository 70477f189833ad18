import { expect, test } from 'vitest';
import { byteSize, duration, fingerprintOf, moment, shortDuration } from './format';
import { hasHidden, pieces } from './hidden';
import { relative, remaining } from './time';

test.each([
  [0, 'no time', '0 s'],
  [61, '1 minute 1 second', '1 min 1 s'],
  [900, '15 minutes', '15 min'],
  [5400, '1 hour 30 minutes', '1 h 30 min'],
  [90_061, '1 day 1 hour 1 minute 1 second', '1 d 1 h'],
])('%d seconds', (seconds, long, short) => {
  expect(duration(seconds)).toBe(long);
  expect(shortDuration(seconds)).toBe(short);
});

test('only whole seconds in UTC are a moment', () => {
  expect(moment('2026-03-01T10:00:00Z')).toBe(Date.UTC(2026, 2, 1, 10));
  for (const other of ['2026-03-01T10:00:00+01:00', '2026-03-01', '2026-03-01T10:00:00.5Z', undefined, 7]) expect(moment(other)).toBeNaN();
});

test('what is over says so, and what is long ago says it in one unit', () => {
  expect(remaining(1000, 1000)).toBe('time is over');
  expect(remaining(NaN, 1000)).toBe('time is over');
  expect(remaining(91_000, 1000)).toBe('1 min 30 s left');
  expect(relative(0, 3_700_000)).toBe('1 h ago');
  expect(relative(130_000, 0)).toBe('in 2 min');
  expect(relative(1000, 2000)).toBe('just now');
});

test('characters that are not seen are shown by their number', () => {
  expect(pieces('a\u202eb', false)).toEqual([
    { hidden: false, text: 'a' },
    { hidden: true, text: 'U+202E' },
    { hidden: false, text: 'b' },
  ]);
  expect(hasHidden('one\n\ttwo', true)).toBe(false);
  expect(hasHidden('one\ntwo', false)).toBe(true);
  for (const hidden of ['\u00a0', '\u200b', '\u3164', '\ufe0f', '\ud800', '\u0007', '\r']) expect(hasHidden(`x${hidden}`, true)).toBe(true);
});

test('digests and sizes', () => {
  expect(fingerprintOf('0123456789abcdef0123456789abcdef')).toBe('0123 4567 89ab cdef 0123');
  expect([byteSize(1), byteSize(999), byteSize(12_345), byteSize(2_500_000)]).toEqual(['1 byte', '999 bytes', '12.3 kB', '2.5 MB']);
});
