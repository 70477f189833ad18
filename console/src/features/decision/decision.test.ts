import { expect, test } from 'vitest';
import { reveal } from '../documents/disclosures';
import { Findings } from '../documents/findings';
import type { JsonObject } from '../../verify/canonical';
import { sha256, toBase64Url, utf8 } from '../../verify/digest';
import { examineArtifact } from './artifacts';
import { hasDigest, parameterNames, reachOf } from './entitlement';
import { obstacle, openKinds } from './obstacle';
import { isHigh, isWhole, type Review } from './review';
import { subjectOf } from './sentence';
import { differences } from './unusual';

const BEN = '01BEN';
const CYD = '01CYD';
const NOW = Date.UTC(2026, 2, 1, 12);

interface Given {
  state?: string;
  requester?: string;
  decisions?: [person: string, decision: string, revision?: number][];
  lapses?: string;
  unseen?: boolean;
  actions?: Review['view']['actions'];
  tier?: string;
}

function review(given: Given): Review {
  const decisions = (given.decisions ?? []).map(([person, decision, revision = 1]) => ({ person: { person }, decision, revision }));
  return {
    view: { state: given.state ?? 'pending', revision: 1, decisions, clocks: { lapses_at: given.lapses ?? '2026-03-02T12:00:00Z' }, actions: given.actions ?? { approve: { allowed: true }, reject: { allowed: true }, withdraw: { allowed: true } } },
    request: { content: { requester: given.requester ?? BEN, beneficiary: { person: given.requester ?? BEN } } },
    verdict: { content: { risk: { tier: given.tier ?? 'low' } } },
    artifacts: [{ unseen: given.unseen ? { why: 'not_text' } : undefined }],
    disclosed: { values: new Map(), concealed: 0 },
  } as unknown as Review;
}

test.each<[string, Given, string[]]>([
  ['waiting', {}, ['approve', 'reject']],
  ['own', { requester: CYD }, []],
  ['decided', { decisions: [[CYD, 'approve']] }, ['approve', 'reject', 'withdraw']],
  ['approved', { state: 'approved' }, ['withdraw', 'revoke']],
  ['running', { state: 'active' }, ['revoke']],
  ['ended', { state: 'expired' }, []],
  ['a state that nobody knows yet', { state: 'paused' }, []],
])('what is open: %s', (_, given, kinds) => {
  expect(openKinds(review(given), CYD)).toEqual(kinds);
});

test.each<[string, Given, RegExp | undefined]>([
  ['nothing', {}, undefined],
  ['decided already', { decisions: [[CYD, 'reject']] }, /decided already: reject/],
  ['decided on a former revision', { decisions: [[CYD, 'reject', 0]] }, undefined],
  ['withdrawn', { decisions: [[CYD, 'approve'], [CYD, 'withdraw']] }, undefined],
  ['too late', { lapses: '2026-03-01T11:59:59Z' }, /over/],
  ['no end', { lapses: 'soon' }, /over/],
  ['not whole', { unseen: true }, /cannot be approved/],
  ['the server says no', { actions: { approve: { allowed: false, reason: 'not eligible' } } }, /not eligible/],
  ['the server says nothing', { actions: {} }, /not offer/],
  ['a name that every object has', { actions: Object.create({ approve: { allowed: true } }) as Review['view']['actions'] }, /not offer/],
])('what stands in the way of an approval: %s', (_, given, why) => {
  const found = obstacle(review(given), 'approve', CYD, NOW);
  if (why === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(why);
});

test('what cannot be shown whole can still be rejected', () => {
  expect(obstacle(review({ unseen: true }), 'reject', CYD, NOW)).toBeUndefined();
  expect(isWhole(review({ unseen: true }))).toBe(false);
});

test('a tier that nobody knows asks for the care of a high one', () => {
  expect(['low', 'medium', 'high', 'critical', 'unheard'].map((tier) => isHigh(review({ tier })))).toEqual([false, false, true, true, true]);
});

test('differences come from what policy was asked, at most three', () => {
  const calm = { signals: { origin: { status: 'known', value: { new: false } }, device: { status: 'known', value: { managed: true } } }, calendar: { working_hours: true }, history: { requests_1h: 1 } };
  expect(differences(calm, 'db1')).toEqual([]);
  expect(differences({}, 'db1')).toHaveLength(2);
  const wild = { signals: { origin: { status: 'known', value: { new: true } }, device: { status: 'known', value: { managed: false } } }, calendar: { working_hours: false, weekday: 'sunday', hour: 3, timezone: 'UTC' }, history: { requests_1h: 9 } };
  expect(differences(wild, 'db1')).toHaveLength(3);
});

test('a difference from what was granted before says what and from what', () => {
  const request = { clocks: { grant_seconds: 7200 } };
  const signals = { origin: { status: 'known', value: { new: false } }, device: { status: 'unknown' } };
  const of = (history: JsonObject) => differences({ request, signals, history }, 'db1 · deploy');
  const usual = { granted_same_90d: 3, granted_subject_90d: 1, longest_grant_seconds_90d: 3600 };
  expect(of(usual)).toEqual(['Nobody knows the device.']);
  expect(of({ ...usual, granted_subject_90d: 0 })[0]).toContain('not for db1 · deploy');
  expect(of({ ...usual, granted_same_90d: 0, granted_subject_90d: 0 })[0]).toContain('not granted this');
  const long = { ...usual, longest_grant_seconds_90d: 3599 };
  expect(of(long)[0]).toContain('Asked for 2 hours; the longest of this person’s 3 grants');
  expect(of({ ...long, granted_same_90d: 2 })).toHaveLength(1);
  expect(of({ ...usual, denied_24h: 1, revoked_24h: 1 })[0]).toContain('2 requests of this person were denied');
});

test('the sentence names the main parameters in the order of the form', () => {
  const data = { form: { required: ['host'], properties: { note: {}, principal: {}, host: {} } } };
  const parameters = { principal: 'deploy', other: 7, host: 'db1', note: 'x'.repeat(100) };
  expect(parameterNames(parameters, data)).toEqual(['host', 'note', 'principal', 'other']);
  expect(subjectOf(parameters, data)).toBe(`db1 · ${'x'.repeat(60)}… · deploy`);
});

test('data of an entitlement counts only with the digest that was signed', async () => {
  const digest = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'; // printf '{}' | sha256sum
  expect(await hasDigest({}, digest)).toBe(true);
  expect(await hasDigest({ title: 'harmless' }, digest)).toBe(false);
  expect(await hasDigest(undefined, digest)).toBe(false);
});

test('an artifact must have the size and digest that were signed', async () => {
  const reference = { name: 'a', media_type: 'text/plain', size: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' };
  const found = async (text: string | Uint8Array) => {
    const findings = new Findings();
    const artifact = await examineArtifact(findings, reference, typeof text === 'string' ? utf8(text) : text);
    return [findings.list.map(({ what }) => what.replace('artifact a, ', '')), artifact.unseen?.why];
  };
  expect(await found('hello')).toEqual([[], undefined]);
  expect(await found('hellO')).toEqual([['digest'], undefined]);
  expect(await found('hello ')).toEqual([['size', 'digest'], undefined]);
  expect((await found(Uint8Array.of(0xff)))[1]).toBe('not_text');
  expect((await found('a\0b'))[1]).toBe('not_text');
});

test('a disclosure must stand in the document, and only once', async () => {
  const encoded = (...parts: unknown[]) => toBase64Url(utf8(JSON.stringify(parts)));
  const digestOf = async (text: string) => toBase64Url(await sha256(utf8(text)));
  const reason = encoded('c2FsdA', 'justification', 'because');
  const found = async (digests: string[], given: string[]) => {
    const findings = new Findings();
    const disclosed = await findings.collect('contents', () => reveal(findings, digests, given));
    return [findings.list.length, disclosed?.concealed];
  };
  const digest = await digestOf(reason);
  expect(await found([digest], [reason])).toEqual([0, 0]);
  expect(await found([digest], [])).toEqual([0, 1]);
  expect((await found([], [reason]))[0]).toBe(1);
  expect((await found([digest], [reason, reason]))[0]).toBe(1);
  expect((await found([digest], [`${reason}=`]))[0]).toBeGreaterThan(0);
});

test.each<[string, unknown, string[]]>([
  ['with its parameters', ['A shell as {user} on {host} ({port}).'], ['A shell as deploy on db1 (22).']],
  ['what was not asked for is left out', ['Only {force_command}', 'All of {host}'], ['All of db1']],
  ['nothing that every object has', ['{constructor}'], []],
  ['no value stands for another parameter', ['{odd} and {host}'], ['{user} and db1']],
  ['no sentences', undefined, []],
])('what it reaches: %s', (_, sentences, said) => {
  const data = { ...(sentences !== undefined && { blast_radius: sentences }) } as Parameters<typeof reachOf>[0];
  expect(reachOf(data, { user: 'deploy', host: 'db1', port: 22, odd: '{user}' })).toEqual(said);
});
