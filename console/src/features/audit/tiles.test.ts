import { expect, test } from 'vitest';
import { concat, hex, toBase64, utf8, type Bytes } from '../../verify/digest';
import { sha256 } from '../../verify/digest';
import { entriesOf, entriesPath } from '../../verify/entries';
import { leafHash, nodeHash } from '../../verify/tree';
import { NotCovered, proveLeaf, tilePath } from './tiles';

test.each([
  [0, 0, 1, 'tile/0/000.p/1'],
  [0, 0, 256, 'tile/0/000'],
  [1, 0, 256, 'tile/1/000.p/1'],
  [0, 1, 300, 'tile/0/001.p/44'],
  [0, 1_234_067, 1_234_067 * 256 + 300, 'tile/0/x001/x234/067'],
])('level %d, tile %d of %d leaves', (level, position, size, path) => {
  expect(tilePath(level, position, size)).toBe(path);
});

test('the bundle of an entry', () => {
  expect(entriesPath(5, 17)).toBe('tile/entries/000.p/17');
  expect(entriesPath(256, 600)).toBe('tile/entries/001');
});

test('entries behind their lengths', () => {
  const bundle = Uint8Array.of(0, 1, 7, 0, 2, 8, 9);
  expect(entriesOf(bundle).map((entry) => [...entry])).toEqual([[7], [8, 9]]);
  expect(entriesOf(new Uint8Array())).toEqual([]);
  expect(() => entriesOf(bundle.slice(0, 6))).toThrow('ends inside its entry 1');
  expect(() => entriesOf(bundle.slice(0, 4))).toThrow('ends inside its entry 1');
  expect(() => entriesOf(concat(Uint8Array.of(0x10, 1), new Uint8Array(4097)))).toThrow('more than 4096');
});

/** A log of so many leaves, as its tiles, signed by a key of its own. */
async function log(size: number, change: (path: string, bytes: Bytes) => Bytes = (_, bytes) => bytes) {
  const leaves = Array.from({ length: size }, (_, index) => utf8(`leaf ${index}`));
  const rows: Bytes[][] = [await Promise.all(leaves.map(leafHash))];
  for (let row = rows[0] ?? []; row.length > 1; ) {
    const pairs = Array.from({ length: Math.floor(row.length / 2) }, (_, at) => nodeHash(row[at * 2] as Bytes, row[at * 2 + 1] as Bytes));
    row = await Promise.all(pairs);
    rows.push(row);
  }
  const range = async (start: number, end: number): Promise<Bytes> => {
    if (end - start === 1) return rows[0]?.[start] as Bytes;
    let half = 1;
    while (half * 2 < end - start) half *= 2;
    return nodeHash(await range(start, start + half), await range(start + half, end));
  };
  const { note, vkey } = await signed(`log.example\n${size}\n${toBase64(await range(0, size))}\n`);
  const fetch = async (path: string): Promise<Bytes> => {
    if (path === 'checkpoint') return change(path, utf8(note));
    const [, level, rest] = /^tile\/(\w+)\/(\d{3})/.exec(path) ?? [];
    const start = Number(rest) * 256;
    if (level === 'entries') return change(path, concat(...leaves.slice(start, start + 256).flatMap((leaf) => [Uint8Array.of(0, leaf.length), leaf])));
    return change(path, concat(...(rows[Number(level) * 8] ?? []).slice(start, start + 256)));
  };
  return { fetch, vkey };
}

async function signed(text: string) {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  const material = concat(Uint8Array.of(1), new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)));
  const id = (await sha256(concat(utf8('log.example\n'), material))).slice(0, 4);
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, utf8(text)));
  return { note: `${text}\n\u2014 log.example ${toBase64(concat(id, signature))}\n`, vkey: `log.example+${hex(id)}+${toBase64(material)}` };
}

test.each([1, 2, 3, 7, 256, 257, 600])('every kind of leaf in a log of %d is proved', async (size) => {
  const { fetch, vkey } = await log(size);
  for (const index of new Set([0, 1, size >> 1, size - 2, size - 1])) {
    if (index < 0 || index >= size) continue;
    const { bytes } = await proveLeaf(index, vkey, fetch);
    expect(new TextDecoder().decode(bytes)).toBe(`leaf ${index}`);
  }
});

test('another leaf, another hash or another root is no proof', async () => {
  const flip = (wanted: RegExp) => (path: string, bytes: Bytes) => {
    const copy = bytes.slice();
    if (wanted.test(path)) copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
    return copy;
  };
  for (const [wanted, index] of [[/entries/, 6], [/^tile\/0/, 3], [/checkpoint/, 0]] as const) {
    const { fetch, vkey } = await log(7, flip(wanted));
    await expect(proveLeaf(index, vkey, fetch), String(wanted)).rejects.toThrow();
  }
  const { fetch } = await log(7);
  await expect(proveLeaf(0, (await log(7)).vkey, fetch)).rejects.toThrow('not signed by');
});

test('what the checkpoint does not cover is said', async () => {
  const { fetch, vkey } = await log(7);
  await expect(proveLeaf(7, vkey, fetch)).rejects.toThrow(NotCovered);
});
