import { expect, test } from 'vitest';
import { readSaved, withSearch } from './saved';

test('what a browser kept is read, without what is spoilt', () => {
  const stored = JSON.stringify([{ name: 'Leases', filter: { kind: 'lease.', leaf: 4, odd: 1 } }, { name: '', filter: {} }, { name: 'x' }, null, 7]);
  expect(readSaved(stored)).toEqual([{ name: 'Leases', filter: { kind: 'lease.' } }]);
  for (const spoilt of [null, '', '{', '{}', 'null']) expect(readSaved(spoilt)).toEqual([]);
});

test('a name is kept once, the newest first, and not without end', () => {
  const two = withSearch(withSearch([], { name: 'a', filter: { text: '1' } }), { name: 'b', filter: {} });
  expect(withSearch(two, { name: 'a', filter: { text: '2' } })).toEqual([
    { name: 'a', filter: { text: '2' } },
    { name: 'b', filter: {} },
  ]);
  const many = Array.from({ length: 40 }, (_, position) => ({ name: String(position), filter: {} }));
  expect(many.reduce(withSearch, [] as ReturnType<typeof withSearch>)).toHaveLength(30);
});
