/** A newer log, where no bundle of the corpus shows it: how its files are read, and lives of the log. */
import { describe, expect, it } from 'vitest';
import { concat, hex, utf8, type Bytes } from '../../src/verify/digest';
import { entriesPath, WIDTH } from '../../src/verify/entries';
import { claimed, logFiles } from '../../src/verify/logFiles';
import type { Lineage } from '../../src/verify/lineage';
import type { Manifest } from '../../src/verify/manifest';
import { newerLog, type Held, type NewerLog } from '../../src/verify/newer';
import type { Picked } from '../../src/verify/picked';
import { GrowingTree, leafHash, nodeHash } from '../../src/verify/tree';
import { readTrust } from '../../src/verify/trustDirectory';
import { firstVersion, following, folder, Life, signed, Somebody, type Signed } from './roots';

/** Leaves that are no events of anybody. */
const leaves = Array.from({ length: 600 }, (_, index) => utf8(`leaf ${index}`));
const hashes = await Promise.all(leaves.map(leafHash));

/** The root as RFC 9162, section 2.1.1 defines it. */
async function rootOf(nodes: readonly Bytes[]): Promise<Bytes> {
  const [only] = nodes;
  if (only !== undefined && nodes.length === 1) return only;
  let left = 1;
  while (left * 2 < nodes.length) left *= 2;
  return nodeHash(await rootOf(nodes.slice(0, left)), await rootOf(nodes.slice(left)));
}

it('a tree that grows has the root of its leaves at every size', async () => {
  const tree = new GrowingTree();
  expect(hex((await tree.root()).hash)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  for (const [place, hash] of hashes.slice(0, 130).entries()) {
    await tree.append(hash);
    expect(await tree.root()).toEqual({ size: place + 1, hash: await rootOf(hashes.slice(0, place + 1)) });
  }
});

const [ada, bob] = (await Promise.all([1, 2].map(Somebody.make))) as [Somebody, Somebody];
const life = await Life.make('log.chancery.test');
const next = await Life.make('log2.chancery.test');
const first: Signed = { root: firstVersion([ada, bob], life), signatures: [] };
const closedAt = 300;
const end = hex(await rootOf(hashes.slice(0, closedAt)));
const rotated = await signed(
  await following(first.root, [ada, bob], (root) => {
    root.logs = [
      { origin: life.key.name, vkey: life.vkey, closed: { size: closedAt, root: end } },
      { origin: next.key.name, vkey: next.vkey, first_index: closedAt },
    ];
    root.witness_policy = `log ${life.vkey}\nlog ${next.vkey}\nquorum none\n`;
  }),
  ...[ada, bob],
);
const believed: Record<'one' | 'rotated', Lineage> = { one: await readTrust(folder(first)), rotated: await readTrust(folder(rotated, first)) };

/** A bundle of the first 20 leaves, none of which is its own. */
async function held(lineage: Lineage, named: Held['named'] = []): Promise<Held> {
  const manifest: Manifest = { type: 'urn:chancery:evidence:v1', origin: life.key.name, request: '', request_sha256: '', leaves: [], identity: new Map(), policy: [], trust: [], files: [] };
  const versions = lineage.life(life.key.name);
  if (versions === undefined) throw new Error('the log is not known');
  const checkpoint = { origin: life.key.name, root: { size: 20, hash: await rootOf(hashes.slice(0, 20)) } };
  return { manifest, checkpoint, root: lineage.newest, versions, named };
}

/** The first leaves of the log, as a mirror has them that was made in one go. */
async function log(size: number, of = life): Promise<Map<string, Bytes>> {
  const files = new Map([['checkpoint', (await of.checkpoint(size, await rootOf(hashes.slice(0, size)))).bytes]]);
  for (let start = 0; start < size; start += WIDTH) {
    const bundle = leaves.slice(start, Math.min(start + WIDTH, size)).map((leaf) => concat(Uint8Array.of(0, leaf.length), leaf));
    files.set(entriesPath(start, size), concat(...bundle));
  }
  return files;
}

function newer(files: ReadonlyMap<string, Uint8Array>): NewerLog {
  return { checkpoint: files.get('checkpoint') ?? new Uint8Array(), file: (path) => Promise.resolve(files.get(path)) };
}

async function problems(files: ReadonlyMap<string, Uint8Array>, lineage = believed.one, named: Held['named'] = []): Promise<string> {
  const found = await newerLog(await held(lineage, named), newer(files));
  return found.problems.join('\n');
}

describe('a newer log', () => {
  it.each([20, 21, 255, 256, 257, 512, 600])('of %i leaves continues the one of the bundle', async (size) => {
    expect(await newerLog(await held(believed.one), newer(await log(size)))).toEqual({ value: [], problems: [] });
  });

  it('is read from a bundle that became full since its checkpoint', async () => {
    const files = await log(300);
    const whole = await log(512);
    files.delete('tile/entries/001.p/44');
    expect(await problems(files)).toContain('`tile/entries/001.p/44` is missing');
    files.set('tile/entries/001', whole.get('tile/entries/001') ?? new Uint8Array());
    expect(await problems(files)).toBe('');
  });

  it('with another leaf is found by the root that it changes', async () => {
    const changed = async (index: number): Promise<Map<string, Bytes>> => {
      const files = await log(40);
      const bundle = (files.get('tile/entries/000.p/40') ?? new Uint8Array()).slice();
      const place = leaves.slice(0, index).reduce((sum, leaf) => sum + leaf.length + 2, 2);
      bundle[place] = (bundle[place] ?? 0) ^ 1;
      return files.set('tile/entries/000.p/40', bundle);
    };
    // Behind the bundle only the newer checkpoint is broken; before its end, the bundle's as well.
    expect(await problems(await changed(25))).toBe("the newer log's leaves are not those of its checkpoint");
    expect(await problems(await changed(5))).toContain("the newer log does not contain the bundle's\n");
    // Under a checkpoint that fits it, another past is found by the bundle's root alone.
    const rewritten = await changed(5);
    const other = [...hashes.slice(0, 40)];
    other[5] = await leafHash(utf8('meaf 5'));
    rewritten.set('checkpoint', (await life.checkpoint(40, await rootOf(other))).bytes);
    expect(await problems(rewritten)).toBe("the newer log does not contain the bundle's");
  });

  it('that cannot be read to its end is none', async () => {
    const path = 'tile/entries/001.p/44';
    const bundle = (await log(300)).get(path) ?? new Uint8Array();
    const broken = async (change: Uint8Array): Promise<string> => problems((await log(300)).set(path, new Uint8Array(change)));
    expect(await broken(bundle.slice(0, -1))).toMatch(/a leaf from 256 to 300 of the newer log cannot be read: .*ends inside/);
    expect(await broken(new Uint8Array())).toContain('has 0 entries');
    const refused: NewerLog = { ...newer(await log(300)), file: () => Promise.reject(new Error('no answer')) };
    expect((await newerLog(await held(believed.one), refused)).problems.join()).toContain('a leaf from 0 to 256 of the newer log cannot be read: no answer');
  });

  it('has the checkpoints that decisions name, whatever their size', async () => {
    const named = async (size: number, of = size) => ({ size, root: hex((await newTree(of)).hash), leaf: 7 });
    const right = await Promise.all([0, 1, 19, 255, 256, 300].map((size) => named(size)));
    expect(await problems(await log(300), believed.one, right)).toBe('');
    for (const size of [0, 1, 19, 255, 256, 300]) {
      const wrong = await named(size, size + 1);
      expect(await problems(await log(300), believed.one, [...right, wrong]), String(size)).toBe('leaf 7: the decision names a checkpoint that is not of this log');
    }
  });

  it('goes no further than the end of its life', async () => {
    expect(await problems(await log(closedAt), believed.rotated)).toBe('');
    expect(await problems(await log(closedAt + 1), believed.rotated)).toContain(`ended with ${closedAt} leaves`);
  });

  it('is of the same life as the bundle', async () => {
    expect(await problems(await log(400, next), believed.rotated)).toBe('the newer checkpoint is of another log');
    expect(await problems(await log(400, next), believed.one)).toContain('the newer checkpoint: no log of the policy has signed');
  });
});

async function newTree(size: number): Promise<{ hash: Bytes }> {
  const tree = new GrowingTree();
  for (const hash of hashes.slice(0, size)) await tree.append(hash);
  return tree.root();
}

describe('files that were given as a log', () => {
  const picked = (files: ReadonlyMap<string, Bytes>, folder: string): Picked[] => [...files].map(([path, bytes]) => ({ path: `${folder}${path}`, read: () => Promise.resolve(bytes) }));

  it.each(['', 'log/', 'mirror/of/log/'])('are found in `%s`', async (folder) => {
    const given = await logFiles(picked(await log(300), folder));
    expect([given.origin, given.size, given.entries]).toEqual([life.key.name, 300, true]);
    expect((await newerLog(await held(believed.one), given)).problems).toEqual([]);
  });

  it('may be a checkpoint alone, which says so', async () => {
    const { checkpoint } = newer(await log(300));
    const given = await logFiles([{ path: 'from-somebody.txt', read: () => Promise.resolve(new Uint8Array(checkpoint)) }]);
    expect(given.entries).toBe(false);
    expect(await given.file('tile/entries/000')).toBeUndefined();
  });

  it('are refused without a checkpoint, and with what is none', async () => {
    await expect(logFiles([])).rejects.toThrow('there is no `checkpoint`');
    const bundles = ['000', '001'].map((name): [string, Bytes] => [`tile/entries/${name}`, new Uint8Array()]);
    await expect(logFiles(picked(new Map(bundles), ''))).rejects.toThrow('there is no `checkpoint`');
    await expect(logFiles(picked(new Map(bundles.slice(1)), ''))).rejects.toThrow('is no checkpoint of a log');
    expect(() => claimed(utf8('no note'))).toThrow('is no checkpoint of a log');
  });
});
