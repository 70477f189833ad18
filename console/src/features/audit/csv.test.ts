import { expect, test } from 'vitest';
import { nextOf, wholeTable } from './csv';

const HEAD = 'leaf_index,kind\r\n';

test('pages are joined under one head', async () => {
  const pages = new Map([
    [undefined, { text: `${HEAD}1,a\r\n2,"b\r\n,""x"""\r\n`, next: 3 }],
    [3, { text: HEAD, next: 9 }],
    [9, { text: `${HEAD}9,c\r\n`, next: undefined }],
  ]);
  const seen: number[] = [];
  const table = await wholeTable(async (from) => pages.get(from as 3) as { text: string; next: number | undefined }, (leaves) => seen.push(leaves), new AbortController().signal);
  expect(table).toBe(`${HEAD}1,a\r\n2,"b\r\n,""x"""\r\n9,c\r\n`);
  expect(seen).toEqual([2, 2, 3]);
});

test('it can be stopped, and a text without head is none', async () => {
  const stopped = new AbortController();
  stopped.abort();
  await expect(wholeTable(async () => ({ text: HEAD, next: 1 }), () => {}, stopped.signal)).rejects.toThrow();
  await expect(wholeTable(async () => ({ text: 'x', next: undefined }), () => {}, new AbortController().signal)).rejects.toThrow('no head');
});

test('where to go on', () => {
  expect(nextOf('<?from=12>; rel="next"')).toBe(12);
  for (const other of [null, '', '<https://evil.example/?from=1>; rel="next"']) expect(nextOf(other)).toBeUndefined();
});
