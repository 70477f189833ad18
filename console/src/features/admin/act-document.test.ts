import { expect, test } from 'vitest';
import type { Json } from '../../verify/canonical';
import { canonicalize } from '../../verify/canonical';
import { challenge, sha256, sha256Hex, toBase64Url, utf8 } from '../../verify/digest';
import { Different } from '../documents/findings';
import { examineAct, type ActKind, type Wish } from './act-document';

const server = { log_origin: 'log.example', rp_id: 'chancery.example' };
const now = Date.parse('2026-03-01T10:00:00Z');
const PERSON = '01HZZZZZZZZZZZZZZZZZZZZZZA';
const OTHER = '01HZZZZZZZZZZZZZZZZZZZZZZB';
const KEY = { aaguid: 'AAAAAAAAAAAAAAAAAAAAAA', backup_eligible: false, credential_id: 'Y3JlZA', public_key: 'cHVibGlj' };
const NAME = toBase64Url(utf8('["salt","name","Cyd Crane"]'));

const BODIES: Record<ActKind, Record<string, Json>> = {
  'person.created': { person: PERSON, passkey: KEY, roles: ['dba'], attributes: { team: 'data' }, _sd: [] },
  'passkey.enrolled': { person: PERSON, passkey: KEY },
  'person.recovered': { person: PERSON, passkey: KEY },
  'passkey.removed': { person: PERSON, credential_id: 'Y3JlZA' },
  'recovery.cancelled': { person: PERSON, credential_id: 'Y3JlZA' },
  'role.granted': { person: PERSON, role: 'auditor' },
  'role.removed': { person: PERSON, role: 'auditor' },
  'attribute.assigned': { person: PERSON, name: 'team', value: 'data' },
  'person.suspended': { person: PERSON },
  'person.reinstated': { person: PERSON },
};
const KINDS = Object.keys(BODIES) as ActKind[];
const withKey: ActKind[] = ['person.created', 'passkey.enrolled', 'person.recovered'];

function content(act: string, body: Json): Record<string, Json> {
  return { type: 'urn:chancery:identity:v1', log_origin: 'log.example', act, body, nonce: 'n'.repeat(22), issued_at: '2026-03-01T10:00:00Z', expires_at: '2026-03-02T10:00:00Z' };
}

async function offer(document: Record<string, Json>, change: object = {}, options: object = {}) {
  const text = canonicalize(document);
  const public_key = { challenge: toBase64Url(await challenge('identity', text)), rpId: 'chancery.example', allowCredentials: [{ type: 'public-key', id: 'Y3JlZA' }], timeout: 1, userVerification: 'required', ...options };
  return { document: text, document_sha256: await sha256Hex(text), disclosures: [], needed: 2, public_key, ...change };
}

function wishFor(act: ActKind): Wish {
  if (withKey.includes(act)) return { act, body: { enrolment: 'one' }, key: { person: PERSON, credentialId: 'Y3JlZA' } };
  return { act, body: BODIES[act] as Record<string, string> };
}

const examine = async (...parts: Parameters<typeof offer>) => examineAct(await offer(...parts), undefined, { server, now });

async function refused(pending: Promise<unknown>): Promise<string> {
  const fault = await pending.then(() => undefined, (thrown: unknown) => thrown);
  expect(fault).toBeInstanceOf(Different);
  return (fault as Different).message;
}

test.each(KINDS)('%s is read, and is what was asked for', async (act) => {
  const read = await examineAct(await offer(content(act, BODIES[act])), wishFor(act), { server, now });
  expect(read.act).toMatchObject({ kind: act, person: PERSON });
  expect(read.allowed).toEqual(['Y3JlZA']);
});

test.each(KINDS)('%s with a member that is not shown is not signed', async (act) => {
  expect(await refused(examine(content(act, { ...BODIES[act], until: 'ever' })))).toContain('not shown here: until');
});

test.each(KINDS)('%s without one of its members is not signed', async (act) => {
  for (const member of Object.keys(BODIES[act])) {
    const { [member]: _, ...rest } = BODIES[act];
    await refused(examine(content(act, rest)));
  }
});

test.each(KINDS)('%s about somebody else than was asked is not signed', async (act) => {
  const other = await offer(content(act, { ...BODIES[act], person: OTHER }));
  expect(await refused(examineAct(other, wishFor(act), { server, now }))).toContain(OTHER);
});

test('another act than was asked is not signed', async () => {
  const granted = await offer(content('role.granted', BODIES['role.granted']));
  expect(await refused(examineAct(granted, wishFor('role.removed'), { server, now }))).toContain('act: signed: role.granted');
  const stronger = await offer(content('role.granted', { person: PERSON, role: 'identity_admin' }));
  expect(await refused(examineAct(stronger, wishFor('role.granted'), { server, now }))).toContain('identity_admin');
});

test('a key that was not made here is not signed', async () => {
  const own: Wish = { act: 'passkey.enrolled', body: { enrolment: 'one' }, key: { person: PERSON, credentialId: 'Y3JlZA', publicKey: 'cHVibGlj' } };
  const body = BODIES['passkey.enrolled'];
  await examineAct(await offer(content('passkey.enrolled', body)), own, { server, now });
  for (const change of [{ public_key: 'b3RoZXI' }, { credential_id: 'b3RoZXI' }]) {
    const swapped = await offer(content('passkey.enrolled', { ...body, passkey: { ...KEY, ...change } }));
    expect(await refused(examineAct(swapped, own, { server, now }))).toContain('b3RoZXI');
  }
});

test('a wish for a key is not met by an act about none', async () => {
  const suspended = await offer(content('person.suspended', { person: PERSON }));
  expect(await refused(examineAct(suspended, wishFor('passkey.enrolled'), { server, now }))).toContain('about no key');
});

test.each([
  ['another log', { log_origin: 'evil.example' }, 'log: signed: evil.example'],
  ['an act that nobody knows', { act: 'person.crowned' }, 'not known here'],
  ['an act by the name of a member of every object', { act: 'constructor' }, 'not known here'],
  ['a short nonce', { nonce: 'short' }, 'nonce'],
  ['an offer for longer than a day', { expires_at: '2026-03-02T10:00:01Z' }, 'time of the offer'],
  ['an offer that ended', { issued_at: '2026-02-28T09:00:00Z', expires_at: '2026-03-01T09:00:00Z' }, 'it ended at'],
  ['an offer of tomorrow', { issued_at: '2026-03-01T12:00:00Z' }, 'it begins at'],
  ['a further member', { note: 'x' }, 'not shown here: note'],
  ['another type', { type: 'urn:chancery:decision:v1' }, 'it is not a identity document'],
])('%s is not signed', async (_, change, said) => {
  expect(await refused(examine({ ...content('person.suspended', { person: PERSON }), ...change }))).toContain(said);
});

test.each([
  ['another challenge', { challenge: 'AAAA' }, 'challenge'],
  ['another relying party', { rpId: 'evil.example' }, 'relying party'],
  ['no passkey', { allowCredentials: [] }, 'none is named'],
])('%s in the options is not signed', async (_, options, said) => {
  expect(await refused(examine(content('person.suspended', { person: PERSON }), {}, options))).toContain(said);
});

test.each([
  ['another digest', { document_sha256: '0'.repeat(64) }, 'document digest'],
  ['text that is not canonical', { document: `${canonicalize(content('person.suspended', { person: PERSON }))} ` }, 'canonical form'],
  ['words that the document does not commit to', { disclosures: [NAME] }, 'no digest in the document'],
])('%s is not signed', async (_, change, said) => {
  expect(await refused(examine(content('person.suspended', { person: PERSON }), change))).toContain(said);
});

test.each([
  ['a public key that is no base64url', { public_key: 'a=b' }],
  ['a model of another length', { aaguid: 'AAAA' }],
  ['a word for a flag', { backup_eligible: 'false' }],
  ['a registration without a digest', { attestation_sha256: 'believe me' }],
  ['a further member', { trusted: true }],
])('a passkey with %s is not signed', async (_, change) => {
  await refused(examine(content('passkey.enrolled', { person: PERSON, passkey: { ...KEY, ...change } })));
});

test('the name is told when its digest stands in the document, and missed when it was withheld', async () => {
  const digest = toBase64Url(await sha256(utf8(NAME)));
  const body = { ...BODIES['person.created'], _sd: [digest] };
  const told = await examine(content('person.created', body), { disclosures: [NAME] });
  expect([...told.disclosed.values]).toEqual([['name', 'Cyd Crane']]);
  expect((await examine(content('person.created', body))).disclosed.concealed).toBe(1);
});

test('without an offer it is shown and cannot be signed', async () => {
  const read = await examine(content('person.suspended', { person: PERSON }), { public_key: undefined });
  expect(read.allowed).toBeUndefined();
});

test('the key has the fingerprint of its bytes, and its model a name', async () => {
  const passkey = { ...KEY, aaguid: toBase64Url(Uint8Array.from({ length: 16 }, (_, position) => position)) };
  const { act } = await examine(content('person.recovered', { person: PERSON, passkey }));
  expect('key' in act && act.key).toMatchObject({
    fingerprint: (await sha256Hex('public')).slice(0, 20).replace(/(.{4})(?!$)/g, '$1 '),
    model: '00010203-0405-0607-0809-0a0b0c0d0e0f',
    attested: false,
    synced: false,
  });
});
