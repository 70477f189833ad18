import { expect, test } from 'vitest';
import { filterOf, fromLocalInput, isEmpty, queryOf, readSearch, toLocalInput } from './search';

test('an address is read, and what means nothing is left out', () => {
  expect(readSearch({ text: 'db', stream: 'request/', leaf: '12', order: 'oldest', since: '2026-03-01T00:00:00Z' })).toEqual({
    text: 'db',
    stream: 'request/',
    leaf: 12,
    order: 'oldest',
    since: '2026-03-01T00:00:00Z',
  });
  expect(readSearch({ text: '', kind: ['a'], leaf: '-1', order: 'newest', since: 'yesterday', until: '2026-13-01T00:00:00Z', other: 'x' })).toEqual({});
  expect(readSearch({ leaf: 3 })).toEqual({ leaf: 3 });
  expect(readSearch({ leaf: '1e3' })).toEqual({});
});

test('what is looked at is no filter', () => {
  expect(filterOf({ text: 'a', leaf: 3 })).toEqual({ text: 'a' });
  expect(isEmpty({ text: undefined })).toBe(true);
  expect(isEmpty({ order: 'oldest' })).toBe(false);
});

test('the newest come first unless the filter says otherwise', () => {
  expect(queryOf({ kind: 'lease.' }, 100, undefined)).toEqual({ limit: '100', order: 'newest', kind: 'lease.' });
  expect(queryOf({ order: 'oldest' }, 100, 7)).toEqual({ limit: '100', from: '7' });
});

test('local times go to UTC and come back', () => {
  for (const utc of ['2026-03-01T10:30:00Z', '2026-07-01T23:59:00Z']) expect(fromLocalInput(toLocalInput(utc))).toBe(utc);
  expect(fromLocalInput('')).toBeUndefined();
  expect(toLocalInput(undefined)).toBe('');
});
