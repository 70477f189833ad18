/** Successors of the trust root: who may write the next version, what it may change, and what is refused. */
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../../src/verify/canonical';
import { challenge, utf8 } from '../../src/verify/digest';
import { MAX_OFFER_SECONDS, Versions, type SealedAt } from '../../src/verify/inForce';
import { moment } from '../../src/verify/moment';
import { parseTrust } from '../../src/verify/trust';
import { readTrust } from '../../src/verify/trustDirectory';
import { firstVersion, following, folder, Life, signed, Somebody, type RootJson, type Signed } from './roots';

const [ada, bob, carol, dan] = (await Promise.all([1, 2, 3, 4].map(Somebody.make))) as [Somebody, Somebody, Somebody, Somebody];
const life = await Life.make('log.chancery.test');
const next = await Life.make('log2.chancery.test');
const first: Signed = { root: firstVersion([ada, bob], life), signatures: [] };

async function successor(change?: (root: RootJson) => void): Promise<RootJson> {
  return following(first.root, [ada, bob], change);
}

/** What is said of a directory: that it was read, or why not. */
async function said(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  return readTrust(files).then(
    () => 'read',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

describe('the next version', () => {
  const TOO_FEW = 'signed where 2 are needed';
  const UNKNOWN = `the signature of person \`${carol.id}\` does not stand: person \`${carol.id}\` is unknown`;
  it.each([
    ['both', [ada, bob], 'read'],
    ['one of two', [ada], `1 administrators of version 1 ${TOO_FEW}`],
    ['nobody', [], `0 administrators of version 1 ${TOO_FEW}`],
    ['one twice', [ada, ada], `person \`${ada.id}\` signed twice`],
    ['one, and somebody else', [ada, carol], UNKNOWN],
    ['both, and somebody else', [ada, bob, carol], UNKNOWN],
  ])('is signed by %s', async (_, people, expected) => {
    const root = await successor((made) => made.engines.push('regorus 0.15'));
    expect(await said(folder(await signed(root, ...people), first))).toContain(expected);
  });

  it.each([
    ['the new administrators alone', [carol, dan], '0 administrators of version 1'],
    ['the old ones alone', [ada, bob], '0 administrators of version 2'],
    ['both sides', [ada, bob, carol, dan], 'read'],
  ])('with other administrators is signed by %s', async (_, people, expected) => {
    const root = await following(first.root, [carol, dan]);
    expect(await said(folder(await signed(root, ...people), first))).toContain(expected);
  });

  it('cannot be written by administrators that only it lists', async () => {
    const root = await following(first.root, [carol, dan], (made) => {
      made.floors['prod-database'] = { minimum_approvers: 1, maximum_seconds: 86_400 };
    });
    expect(await said(folder(await signed(root, carol, dan, ada), first))).toContain('1 administrators of version 1 signed where 2 are needed');
  });

  it('is signed as a trust root, by a verified human, on the site', async () => {
    const root = await successor();
    const bytes = await challenge('trust', canonicalize(root));
    const by = await ada.sign(bytes);
    const attempts: [string, Promise<object>, string][] = [
      ['under another context', challenge('identity', canonicalize(root)).then((other) => bob.sign(other)), 'passkey signed another challenge'],
      ['elsewhere', bob.sign(bytes, { origin: 'https://evil.test', flags: 0x05 }), 'is not allowed'],
      ['by whoever found the key', bob.sign(bytes, { origin: 'https://chancery.test', flags: 0x01 }), 'did not verify who was there'],
      ['with the key of another', carol.sign(bytes).then((other) => ({ ...other, person: bob.id })), 'the passkey is not one of person'],
    ];
    for (const [what, attempt, expected] of attempts) {
      expect(await said(folder({ root, signatures: [by, await attempt] }, first)), what).toContain(expected);
    }
  });

  it('is not the one that was signed when a floor was changed after it', async () => {
    const { root, signatures } = await signed(await successor(), ada, bob);
    const changed = structuredClone(root);
    changed.floors['prod-database'] = { minimum_approvers: 1, maximum_seconds: 86_400 };
    expect(await said(folder({ root: changed, signatures }, first))).toContain('passkey signed another challenge');
  });

  it.each<[string, (root: RootJson) => void, string]>([
    ['the genesis', (root) => root.genesis.persons[0]?.roles.push('auditor'), 'may not change `genesis`'],
    ['the first policy', (root) => (root.policy.genesis_sha256 = '1'.repeat(64)), 'may not change `policy`'],
    ['the site', (root) => Object.assign(root, { rp_id: 'other.test', origins: ['https://other.test'] }), 'may not change `rp_id`'],
    ['an origin', (root) => (root.origins = ['https://chancery.test:8443']), 'may not change `origins`'],
    ['the log', (root) => rename(root), 'may not change `logs`'],
    ['its threshold', (root) => Object.assign(root, { sealed_with: 1, administrators_needed: 1 }), 'may not change `administrators_needed`'],
    ['its predecessor', (root) => (root.previous_sha256 = '2'.repeat(64)), 'follows another root than the present one'],
    ['its date to one before', (root) => (root.created_at = '2026-11-22T11:59:59Z'), 'was sealed before the present one'],
    ['its number to one later', (root) => (root.version = 3), 'version 3 does not follow version 1: fetch the versions between them'],
    ['its administrators to too few', (root) => root.administrators?.pop(), '`administrators` are fewer than `administrators_needed`'],
    ['its administrators to one twice', (root) => root.administrators?.push(...root.administrators), '`administrators` names somebody twice'],
    ['its predecessor to none', (root) => delete root.previous_sha256, '`previous_sha256` is the digest of the version before'],
  ])('does not change %s', async (_, change, expected) => {
    expect(await said(folder(await signed(await successor(change), ada, bob), first))).toContain(expected);
  });

  it('may raise a floor, add an origin, and list a set in another order', async () => {
    const twoRoles: Signed = { root: structuredClone(first.root), signatures: [] };
    twoRoles.root.genesis.persons[0]?.roles.push('auditor');
    const root = await following(twoRoles.root, [ada, bob], (made) => {
      made.origins.push('https://chancery.test:8443');
      made.floors['prod-database'] = { minimum_approvers: 2, maximum_seconds: 900 };
      made.genesis.persons[0]?.roles.reverse();
    });
    expect(await said(folder(await signed(root, ada, bob), twoRoles))).toBe('read');
  });
});

function rename(root: RootJson): void {
  root.logs = [{ origin: next.key.name, vkey: next.vkey }];
  root.witness_policy = `log ${next.vkey}\nquorum none\n`;
}

describe('a directory', () => {
  const second = successor((root) => root.engines.push('regorus 0.15')).then((root) => signed(root, ada, bob));
  const third = second.then(async ({ root }) => signed(await following(root, [ada, bob], (made) => made.engines.shift()), ada, bob));

  it('is followed from the first version', async () => {
    const lineage = await readTrust(folder(await third, first, await second));
    const told = lineage.accepted.map(({ root, signers }) => [root.document.version, signers]);
    expect(told).toEqual([[1, []], [2, [ada.id, bob.id]], [3, [ada.id, bob.id]]]);
    expect(lineage.newest.document.engines).toEqual(['regorus 0.15']);
  });

  it('of a later version says which files are missing', async () => {
    const files = folder(await second, first);
    const without = (...paths: string[]) => new Map([...files].filter(([path]) => !paths.includes(path)));
    expect(await said(without('history.json', 'signatures.json'))).toMatch(/version 2, .*`history.json` and `signatures.json` are missing.*`trust\/history.json`/);
    expect(await said(without('history.json'))).toContain('`history.json` is missing');
    expect(await said(without('signatures.json'))).toContain('`signatures.json` is missing');
  });

  it('without an intact history is refused', async () => {
    const [two, three] = [await second, await third];
    const other = await signed(await successor((root) => root.engines.push('regorus 0.16')), ada, bob);
    const changed = structuredClone(two);
    changed.root.floors['prod-database'] = { minimum_approvers: 1, maximum_seconds: 86_400 };
    const table: [string, Map<string, Uint8Array>, string][] = [
      ['cut at its beginning', folder(three, two), 'the oldest version that is there is 2'],
      ['cut at its end', folder(three, first), 'version 3 does not follow version 1'],
      ['empty', folder(three), 'the oldest version that is there is 3'],
      ['turned around', folder(three, two, first), 'the oldest version that is there is 2'],
      ['with a version twice', folder(three, first, two, two), 'version 2 does not follow version 2'],
      ['with two successors', folder(three, first, two, other), 'version 2 does not follow version 2'],
      ['with the other successor', folder(three, first, other), 'follows another root than the present one'],
      ['with a signature less', folder(three, first, { ...two, signatures: two.signatures.slice(1) }), '1 administrators of version 1'],
      ['with a floor changed', folder(three, first, changed), 'passkey signed another challenge'],
      ['behind the first', folder(first, first), 'version 1 does not follow version 1'],
    ];
    for (const [what, files, expected] of table) expect(await said(files), what).toContain(expected);
    for (const file of ['history.json', 'signatures.json']) {
      const files = folder(three, first, two);
      for (const text of ['{}', '[1]', '[{}]', ' []', '[{"more":1}]']) expect(await said(files.set(file, utf8(text))), `${file} ${text}`).toContain(`\`${file}\` cannot be read`);
    }
  });
});

describe('a new life of the log', () => {
  const closed = { size: 100, root: 'a'.repeat(64) };
  const rotate = (root: RootJson): void => {
    root.logs = [{ origin: life.key.name, vkey: life.vkey, closed }, { origin: next.key.name, vkey: next.vkey, first_index: 100 }];
    root.witness_policy = `log ${life.vkey}\nlog ${next.vkey}\nquorum none\n`;
    root.policy.genesis_sha256 = '3'.repeat(64);
  };

  it('begins where the one before was closed', async () => {
    const lineage = await readTrust(folder(await signed(await successor(rotate), ada, bob), first));
    expect(lineage.newest.logOrigin).toBe(next.key.name);
    expect([life, next].map(({ key }) => lineage.life(key.name)?.newest.document.version)).toEqual([1, 2]);
    expect(lineage.life('log3.chancery.test')).toBeUndefined();
  });

  it.each<[string, (root: RootJson) => void, string]>([
    ['elsewhere', (root) => Object.assign(root.logs[1] ?? {}, { first_index: 99 }), 'where the life before it ended'],
    ['beside one that is open', (root) => delete root.logs[0]?.closed, 'where the life before it ended'],
    ['closed', (root) => Object.assign(root.logs[1] ?? {}, { closed }), 'closes its last, or leaves an earlier one open'],
    ['with another key of the one before', (root) => forge(root), 'may not change `logs`'],
  ])('does not begin %s', async (_, change, expected) => {
    const root = await successor((made) => {
      rotate(made);
      change(made);
    });
    expect(await said(folder(await signed(root, ada, bob), first))).toContain(expected);
  });

  it('stays closed where it was closed', async () => {
    const two = await signed(await successor(rotate), ada, bob);
    const three = await following(two.root, [ada, bob], (root) => {
      Object.assign(root.logs[0] ?? {}, { closed: { ...closed, size: 200 } });
      Object.assign(root.logs[1] ?? {}, { first_index: 200 });
    });
    expect(await said(folder(await signed(three, ada, bob), first, two))).toContain('may not change `logs`');
  });
});

const impostor = await Life.make(life.key.name);

function forge(root: RootJson): void {
  Object.assign(root.logs[0] ?? {}, { vkey: impostor.vkey });
  root.witness_policy = `log ${impostor.vkey}\nlog ${next.vkey}\nquorum none\n`;
}

it('a version is in force from its leaf, or where that is kept back from its time', async () => {
  const later = await successor((root) => (root.created_at = '2026-11-22T12:01:40Z'));
  const roots = await Promise.all([first.root, later].map((root) => parseTrust(utf8(canonicalize(root)))));
  const start = moment(first.root.created_at);
  const at = (versions: Versions, index: number, seconds: number): number => versions.at(index, start + seconds).document.version;
  const versions = new Versions(roots);
  expect([0, 99, 100].map((seconds) => at(versions, 5, seconds))).toEqual([1, 1, 2]);
  const leaf = (index: number, seconds: number): SealedAt => ({ version: 2, index, at: start + seconds });
  const late = leaf(7, 100 + MAX_OFFER_SECONDS + 1);
  expect([6, 7, 8].map((index) => at(versions.sealedAt([late]), index, 500))).toEqual([2, 2, 2]);
  const sealed = versions.sealedAt([leaf(7, 100 + MAX_OFFER_SECONDS), leaf(20, 600)]);
  expect([6, 7, 8].map((index) => at(sealed, index, 500))).toEqual([1, 1, 2]);
  expect(at(sealed, 8, 0)).toBe(2);
});
