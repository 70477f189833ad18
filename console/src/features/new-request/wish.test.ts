import { expect, test } from 'vitest';
import { createCommand, quoted } from './command';
import { lengthsFor, longestOf, usualLength } from './lengths';
import { compare, variantsOf, type Preview } from './preview';
import { draftOf, EMPTY, keyFault, localMoment, plainKey, utcMoment, wishOfAddress } from './wish';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4J5m0fmJ3sS6bHWNNBPBDsPlzSC+3mrKJ5fCJjQjbm';

test('an address fills the form in, and nothing else', () => {
  const wish = wishOfAddress({ entitlement: 'ssh-admin', 'set.host': 'web-1', 'set.version': '1.10', reason: 'disk full', ticket: 'OPS-7', minutes: '30', for: 'P', submit: 'true' });
  expect(wish).toEqual({ ...EMPTY, values: { host: 'web-1', version: '1.10' }, justification: 'disk full', ticket: 'OPS-7', seconds: 1800, beneficiary: 'P' });
  expect(wishOfAddress({ minutes: '-1', start: 'tomorrow' })).toEqual(EMPTY);
});

test('a draft says what was filled in, and leaves out what is empty', () => {
  expect(draftOf('ssh-admin', EMPTY, { host: 'a' }, 900, undefined)).toEqual({ entitlement: 'ssh-admin', parameters: { host: 'a' }, grant_seconds: 900 });
  const wish = { ...EMPTY, justification: ' why ', ticket: ' ', start: localMoment('2026-03-01T14:05:00Z'), key: `${KEY} me@here`, beneficiary: 'P' };
  expect(draftOf('ssh-admin', wish, {}, 60, 'R')).toEqual({
    entitlement: 'ssh-admin',
    parameters: {},
    grant_seconds: 60,
    justification: ' why ',
    not_before: '2026-03-01T14:05:00Z',
    beneficiary: 'P',
    beneficiary_key: KEY,
    revises: 'R',
  });
});

test('a local time is the moment that it names', () => {
  expect(utcMoment(localMoment('2026-07-01T23:30:00Z'))).toBe('2026-07-01T23:30:00Z');
  expect(localMoment('soon')).toBe('');
});

test('what is no public key is said to be none', () => {
  expect(keyFault('')).toBeUndefined();
  expect(keyFault(KEY)).toBeUndefined();
  expect(keyFault('-----BEGIN OPENSSH PRIVATE KEY-----')).toMatch(/public key/);
  expect(plainKey('ssh-ed25519 AAAA')).toBeUndefined();
});

test('lengths end at what the entitlement allows, and the asked one is among them', () => {
  expect(longestOf({ clocks: { grant_seconds: 1800 } })).toBe(1800);
  expect(longestOf({})).toBeUndefined();
  expect(lengthsFor(1000, 900)).toEqual([300, 900, 1000]);
  expect(lengthsFor(900, 7200)).toEqual([300, 900, 7200]);
  expect([usualLength(undefined), usualLength(300), usualLength(28_800)]).toEqual([900, 300, 900]);
});

test.each([
  ['web-1.example', 'web-1.example'],
  ['two words', "'two words'"],
  ["it's $HOME `id`", "'it'\\''s $HOME `id`'"],
  ['', "''"],
  ['a\nb', "'a\nb'"],
])('one word of a shell: %j', (word, written) => {
  expect(quoted(word)).toBe(written);
});

test('the command line asks for the same', () => {
  const draft = {
    entitlement: 'db-change',
    parameters: { database: 'shop', replicas: 2 } as unknown as Record<string, never>,
    artifacts: [{ name: 'up.sql', media_type: 'application/sql', size: 1, sha256: '00' }],
    undo: ['down.sql'],
    justification: "it's slow; rm -rf /",
    ticket: '-v',
    grant_seconds: 900,
    not_before: '2026-03-01T14:05:00Z',
  };
  expect(createCommand(draft)).toBe(
    "chancery request create db-change --set=database=shop --set=replicas=2 --artifact=up.sql=up.sql --undo=down.sql --reason='it'\\''s slow; rm -rf /' --ticket=-v --ttl=900s --start=2026-03-01T14:05:00Z",
  );
});

test('at most two other drafts are asked about, each different in one thing', () => {
  const file = (name: string) => ({ name, media_type: 'application/sql', size: 1, sha256: '00' });
  const draft = { entitlement: 'db-change', grant_seconds: 3600 };
  const told = (one: Parameters<typeof variantsOf>[0]) => variantsOf(one).map(({ kind, draft: other }) => [kind, other.undo, other.grant_seconds]);
  expect(told(draft)).toEqual([['shorter', undefined, 900]]);
  expect(told({ ...draft, artifacts: [file('up.sql')] })).toEqual([['shorter', undefined, 900]]);
  expect(told({ ...draft, artifacts: [file('down.sql'), file('up.sql')] })).toEqual([['undo', ['down.sql'], 3600], ['shorter', undefined, 900]]);
  expect(told({ ...draft, grant_seconds: 300, artifacts: [file('up.sql'), file('b.sql')], undo: ['b.sql'] })).toEqual([['no_undo', undefined, 300]]);
});

test('what needs fewer approvals is easier, and what is denied is hardest', () => {
  const preview = (verdict: string, approvals: number) => ({ verdict: { verdict }, approvals, missing: [], stages: [] }) as unknown as Preview;
  expect(compare(preview('require_approval', 2), preview('require_approval', 1))).toBe('easier');
  expect(compare(preview('require_approval', 2), preview('allow', 0))).toBe('easier');
  expect(compare(preview('deny', 0), preview('require_approval', 9))).toBe('easier');
  expect(compare(preview('require_approval', 1), preview('deny', 0))).toBe('harder');
  expect(compare(preview('deny', 0), preview('deny', 0))).toBe('same');
});
