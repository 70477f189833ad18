/** Whatever the bytes are, the verifier answers: it fails checks, and throws nothing. */
import { describe, expect, it } from 'vitest';
import { canonicalize, parseStrict } from '../../src/verify/canonical';
import { unpack } from '../../src/verify/container';
import { utf8 } from '../../src/verify/digest';
import { readTrust } from '../../src/verify/trustDirectory';
import { trustFiles } from '../../src/verify/trustFiles';
import { verifyZip } from '../../src/verify/verify';
import { idlePlaces, packed, random } from './chaos';
import { readCorpus, readerOf } from './corpus';

const honest = readCorpus().find(({ name }) => name === 'container-stored-001');
if (honest === undefined) throw new Error('the corpus has no honest bundle');
const certificates = readerOf(honest);
const lineage = await readTrust(honest.trust);
const files = await unpack(honest.zip);

describe('hostile bytes', () => {
  it('are refused as a container', async () => {
    const dice = random(1);
    for (let round = 0; round < 200; round += 1) {
      const bytes = Uint8Array.from({ length: dice(200) }, () => dice(256));
      expect((await verifyZip(bytes, lineage, { certificates })).failed).toEqual(['container']);
    }
  });

  it('of a damaged zip fail, wherever the damage is', async () => {
    const dice = random(2);
    const idle = idlePlaces(honest.zip);
    for (let round = 0; round < 60; round += 1) {
      const bytes = new Uint8Array(honest.zip);
      const place = dice(bytes.length);
      bytes[place] = dice(256);
      if (idle.has(place)) continue;
      const { failed, checks } = await verifyZip(bytes, lineage, { certificates });
      const same = bytes[place] === honest.zip[place];
      expect(failed.length > 0, `round ${round}`).toBe(!same);
      expect(checks.length).toBe(33);
    }
  });

  it('of any other JSON in any file fail a check', async () => {
    const dice = random(3);
    const strange = ['null', '[]', '{}', '""', '0', 'true', '{"__proto__":1}', '{"constructor":{}}', '['.repeat(64) + ']'.repeat(64), '\ufeff{}', ''];
    const all = [...files.keys()].filter((path) => /\.(?:json|txt|tlog-proof|yaml)$|^checkpoint$/.test(path) && !/^(?:trust\/|README)/.test(path));
    // One of each kind: `leaves/7.json` stands for all leaves.
    const kinds = new Map(all.map((path) => [path.replace(/[0-9]+/g, 'N'), path]));
    for (const path of kinds.values()) {
      const changed = new Map(files).set(path, utf8(strange[dice(strange.length)] ?? ''));
      const { failed } = await verifyZip(packed(changed), lineage, { certificates });
      expect(failed, path).not.toEqual([]);
      expect(failed.join(), path).not.toContain('could not go on');
    }
  });

  it('of a manifest with other members than it should have fail', async () => {
    const manifest = parseStrict(files.get('evidence.json') ?? '') as Record<string, unknown>;
    for (const name of Object.keys(manifest)) {
      for (const value of [undefined, null, [], {}, 'x', -1, [{}], { x: [1] }, [9_007_199_254_740_991]]) {
        const text = canonicalize({ ...manifest, [name]: value });
        const { failed } = await verifyZip(packed(new Map(files).set('evidence.json', utf8(text))), lineage, { certificates });
        if (!(name === 'trust' && Array.isArray(value) && value.length === 0)) expect(failed, `${name}: ${text.slice(0, 40)}`).not.toEqual([]);
      }
    }
  });
});

describe('trust', () => {
  const bytes = honest.trust.get('trust.json') ?? new Uint8Array();
  const document = parseStrict(bytes) as Record<string, unknown>;
  const file = (text: string) => new Map([['trust.json', utf8(text)]]);

  it('is read from trust.json alone, as from the folder', async () => {
    expect(await readTrust(new Map([['trust.json', bytes]]))).toEqual(lineage);
  });

  it('is refused with a member missing, added or of another kind', async () => {
    for (const name of Object.keys(document)) {
      for (const value of [undefined, null, 'x', [null]]) {
        await expect(readTrust(file(canonicalize({ ...document, [name]: value }))), name).rejects.toThrow();
      }
    }
    await expect(readTrust(file(canonicalize({ ...document, more: 1 })))).rejects.toThrow('not expected');
    await expect(readTrust(file(` ${canonicalize(document)}`))).rejects.toThrow('canonical form');
  });

  it('is refused when a file beside it says something else, is missing or is one more', async () => {
    for (const path of honest.trust.keys()) {
      if (path === 'trust.json') continue;
      await expect(readTrust(new Map(honest.trust).set(path, utf8('x'))), path).rejects.toThrow('disagrees');
      const less = new Map(honest.trust);
      less.delete(path);
      await expect(readTrust(less), path).rejects.toThrow('missing');
    }
    await expect(readTrust(new Map(honest.trust).set('keys/more.pem', utf8('x')))).rejects.toThrow('does not belong');
  });

  it('of a later version is refused wherever its history or its signatures are damaged', async () => {
    const dice = random(4);
    const succeeded = readCorpus().find(({ trust: folder }) => folder.has('history.json'))?.trust;
    if (succeeded === undefined) throw new Error('the corpus has no successor of a trust root');
    expect((await readTrust(succeeded)).accepted.length).toBeGreaterThan(1);
    for (const path of ['history.json', 'signatures.json']) {
      for (let round = 0; round < 40; round += 1) {
        const damaged = new Uint8Array(succeeded.get(path) ?? []);
        const place = dice(damaged.length);
        damaged[place] = ((damaged[place] ?? 0) + 1 + dice(255)) % 256;
        await expect(readTrust(new Map(succeeded).set(path, damaged)), `${path}, round ${round}`).rejects.toThrow();
      }
    }
  });

  it('is found in a folder, in a zip, and never in evidence', async () => {
    const inside = [...honest.trust].map(([path, content]) => ({ path: `mine/trust/${path}`, bytes: content }));
    const hidden = { path: 'mine/trust/.DS_Store', bytes: utf8('x') };
    expect(await readTrust(await trustFiles([...inside, hidden, { path: 'mine/notes.txt', bytes: utf8('x') }]))).toEqual(lineage);
    const zip = packed(new Map([...honest.trust].map(([path, content]) => [`trust/${path}`, content])));
    expect(await readTrust(await trustFiles([{ path: 'trust.zip', bytes: zip }]))).toEqual(lineage);
    await expect(trustFiles([{ path: 'evidence.zip', bytes: honest.zip }])).rejects.toThrow('proves nothing');
    await expect(trustFiles([{ path: 'x/evidence.json', bytes: utf8('{}') }, ...inside])).rejects.toThrow('proves nothing');
    await expect(trustFiles([])).rejects.toThrow('nothing was dropped');
    await expect(trustFiles([{ path: 'a.txt', bytes: utf8('x') }])).rejects.toThrow('no `trust.json`');
  });

  it('that has ended verifies nothing', async () => {
    const { created_at, expires_at } = lineage.newest.document;
    const failed = async (now: number) => (await verifyZip(honest.zip, lineage, { certificates, now })).failed;
    expect(await failed(expires_at - 1)).toEqual([]);
    expect(await failed(expires_at)).toEqual(['trust-root']);
    expect(await failed(created_at - 1)).toEqual(['trust-root']);
  });
});

describe('a browser without Ed25519', () => {
  it('fails by name, and passes nothing that stands on it', async () => {
    const { subtle } = crypto;
    const without = new Proxy(subtle, {
      get: (target, name: keyof SubtleCrypto) => (name === 'importKey' ? () => Promise.reject(new Error('unknown algorithm')) : target[name].bind(target)),
    });
    Object.defineProperty(crypto, 'subtle', { value: without, configurable: true });
    try {
      const { failed, checks } = await verifyZip(honest.zip, lineage, { certificates });
      expect(failed).toEqual(['checkpoint-signature']);
      expect(checks.filter(({ outcome }) => outcome.state === 'pass').map(({ name }) => name)).toEqual(['container', 'manifest', 'file-digests', 'trust-root']);
    } finally {
      Object.defineProperty(crypto, 'subtle', { value: subtle, configurable: true });
    }
  });
});
