/** What the trust root says of the log: where a life of it ended, what was sealed in it, and what counted when. */
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../../src/verify/canonical';
import { hex, sha256, utf8 } from '../../src/verify/digest';
import type { EventLeaf, RequestEvent } from '../../src/verify/events';
import { inForce, trustProblems } from '../../src/verify/limits';
import { checkpointSignature, type Recorded, type Streams } from '../../src/verify/log';
import type { Manifest } from '../../src/verify/manifest';
import { moment } from '../../src/verify/moment';
import { readTrust } from '../../src/verify/trustDirectory';
import { readTrustEvent } from '../../src/verify/trustEvents';
import { firstVersion, following, folder, Life, signed, Somebody, type Signed } from './roots';

const [ada, bob] = (await Promise.all([1, 2].map(Somebody.make))) as [Somebody, Somebody];
const life = await Life.make('log.chancery.test');
const next = await Life.make('log2.chancery.test');
const end = await sha256(utf8('where it ended'));
const first: Signed = { root: firstVersion([ada, bob], life), signatures: [] };
const second = await signed(
  await following(first.root, [ada, bob], (root) => {
    root.created_at = '2026-12-01T00:00:00Z';
    root.expires_at = '2029-01-01T00:00:00Z';
  }),
  ...[ada, bob],
);
const rotated = await signed(
  await following(first.root, [ada, bob], (root) => {
    root.logs = [
      { origin: life.key.name, vkey: life.vkey, closed: { size: 10, root: hex(end) } },
      { origin: next.key.name, vkey: next.vkey, first_index: 10 },
    ];
    root.witness_policy = `log ${life.vkey}\nlog ${next.vkey}\nquorum none\n`;
  }),
  ...[ada, bob],
);
const lineages = {
  one: await readTrust(new Map([['trust.json', utf8(canonicalize(first.root))]])),
  two: await readTrust(folder(second, first)),
  rotated: await readTrust(folder(rotated, first)),
};

describe('a checkpoint of a life that was closed', () => {
  const elsewhere = sha256(utf8('elsewhere'));
  it.each([
    ['before its end', 9, elsewhere, undefined],
    ['at its end', 10, Promise.resolve(end), undefined],
    ['at its end with another root', 10, elsewhere, 'ended with 10 leaves'],
    ['after its end', 11, elsewhere, 'ended with 10 leaves'],
    ['far after its end', 10_000, Promise.resolve(end), 'ended with 10 leaves'],
  ])('%s', async (_, size, root, expected) => {
    const { bytes } = await life.checkpoint(size, await root);
    const manifest: Manifest = { type: 'urn:chancery:evidence:v1', origin: life.key.name, request: '', request_sha256: '', leaves: [1], identity: new Map(), policy: [], trust: [], files: [] };
    const { problems } = await checkpointSignature(new Map([['checkpoint', bytes]]), manifest, life.key, lineages.rotated.newest);
    if (expected === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringContaining(expected)]);
    expect((await checkpointSignature(new Map([['checkpoint', bytes]]), manifest, life.key, lineages.one.newest)).problems).toEqual([]);
  });
});

function leaf(kind: string, body: object): EventLeaf {
  return { stream: 'trust', version: 1, previous: undefined, kind, time: 0, body: JSON.parse(JSON.stringify(body)) as EventLeaf['body'] };
}

/** What stands in the stream of trust: kinds and bodies at indices; and an event of the request at an index and time. */
function streams(trust: [number, string, object][], [index, at]: [number, string]): Streams {
  const recorded = trust.map(([place, kind, body]) => ({ index: place, at: 0, attestation: undefined, event: readTrustEvent(leaf(kind, body)), leaf: leaf(kind, body) }));
  const asked = { index, at: moment(at) } as Recorded<RequestEvent>;
  return { request: [asked], identity: [], policy: [], trust: recorded };
}

describe('what the log says of the trust root', () => {
  const [one, two] = [lineages.one.newest, lineages.two.newest];
  const sealed = (version: number, sha256: string) => ({ version, sha256 });
  const began = { origin: life.key.name, size: 10, root: hex(end), version: 2, sha256: lineages.rotated.newest.sha256, signatures: [] };
  const DAY = '2026-12-24T00:00:00Z';
  const table: [string, keyof typeof lineages, string, [number, string, object][], [number, string], string | undefined][] = [
    ['the first version alone', 'one', life.key.name, [[3, 'trust.sealed', sealed(1, one.sha256)]], [9, DAY], undefined],
    ['both versions', 'two', life.key.name, [[3, 'trust.sealed', sealed(1, one.sha256)], [6, 'trust.sealed', sealed(2, two.sha256)]], [9, DAY], undefined],
    ['another first version', 'two', life.key.name, [[3, 'trust.sealed', sealed(1, two.sha256)]], [9, DAY], 'leaf 3: the log sealed another version 1 than yours'],
    ['another second version', 'two', life.key.name, [[6, 'trust.sealed', sealed(2, one.sha256)]], [9, DAY], 'leaf 6: the log sealed another version 2 than yours'],
    ['a version that is not had, before an event', 'one', life.key.name, [[6, 'trust.sealed', sealed(2, two.sha256)]], [9, DAY], 'leaf 6: version 2 was sealed, and leaf 9 came after it'],
    ['a version that is not had, after all events', 'one', life.key.name, [[12, 'trust.sealed', sealed(2, two.sha256)]], [9, DAY], undefined],
    ['an end of the version that counts', 'one', life.key.name, [], [9, '2028-11-22T12:00:00Z'], 'version 1 of your trust directory ended'],
    ['nothing, when the next version counts already', 'two', life.key.name, [], [9, '2028-11-22T12:00:00Z'], undefined],
    ['the next version only later', 'two', life.key.name, [[10, 'trust.sealed', sealed(2, two.sha256)]], [9, '2028-11-22T12:00:00Z'], 'version 1 of your trust directory ended'],
    ['where the life before ended', 'rotated', next.key.name, [[0, 'log.rotated', began]], [9, DAY], undefined],
    ['another end', 'rotated', next.key.name, [[0, 'log.rotated', { ...began, size: 9 }]], [9, DAY], 'where the life before it ended'],
    ['another root at the end', 'rotated', next.key.name, [[0, 'log.rotated', { ...began, root: 'b'.repeat(64) }]], [9, DAY], 'where the life before it ended'],
    ['another life before', 'rotated', next.key.name, [[0, 'log.rotated', { ...began, origin: next.key.name }]], [9, DAY], 'where the life before it ended'],
    ['its beginning too late', 'rotated', next.key.name, [[1, 'log.rotated', began]], [9, DAY], 'where the life before it ended'],
    ['no life before', 'rotated', next.key.name, [[0, 'trust.sealed', sealed(2, lineages.rotated.newest.sha256)]], [9, DAY], 'it does not say where the life of the log before it ended'],
    ['a life before the first', 'rotated', life.key.name, [[0, 'log.rotated', began]], [9, DAY], 'knows no life of the log before this one'],
  ];
  it.each(table)('%s', (_, of, origin, trust, asked, expected) => {
    const lineage = lineages[of];
    const versions = lineage.life(origin);
    if (versions === undefined) throw new Error('the log is not known');
    const said = streams(trust, asked);
    const problems = trustProblems(lineage, inForce(versions, said), origin, said);
    if (expected === undefined) expect(problems).toEqual([]);
    else expect(problems.join('\n')).toContain(expected);
  });

  it('cannot be read with members that do not belong there', () => {
    for (const [kind, body] of [['trust.sealed', began], ['log.rotated', sealed(2, two.sha256)], ['trust.opened', began]] as const) {
      expect(() => readTrustEvent(leaf(kind, body)), kind).toThrow();
    }
  });
});
