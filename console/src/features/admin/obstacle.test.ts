import { expect, test } from 'vitest';
import { admin } from '../../strings/admin';
import type { Act } from './act-document';
import { compareFingerprint, obstacleTo } from './obstacle';
import type { OpenAct } from './use-signature';

const FINGERPRINT = '0123 4567 89ab cdef 0123';
const key = { credentialId: 'Y3JlZA', publicKey: 'cHVi', fingerprint: FINGERPRINT, model: undefined, attested: false, synced: false };
const text = admin.act.obstacles;

function open(act: Act, change: Partial<OpenAct['read']> = {}, signedBy: string[] = []): OpenAct {
  const disclosed = { values: new Map(act.kind === 'person.created' ? [['name', 'Cyd']] : []), concealed: 0 };
  return { read: { act, document: {} as never, disclosed, expiresAt: '', allowed: ['Y3JlZA'], ...change }, signedBy, needed: 2 };
}

const joins: Act = { kind: 'person.created', person: 'P', roles: [], attributes: [], key };
const suspends: Act = { kind: 'person.suspended', person: 'P' };
const now = { reader: 'A', comparison: 'same', over: false } as const;

test('it can be signed when nothing stands against it', () => {
  expect(obstacleTo(open(suspends), { ...now, comparison: 'open' })).toBeUndefined();
  expect(obstacleTo(open(joins), now)).toBeUndefined();
});

test('a key that somebody else made waits for the comparison; one’s own does not', () => {
  expect(obstacleTo(open(joins), { ...now, comparison: 'open' })).toBe(text.compare);
  expect(obstacleTo(open(joins), { ...now, comparison: 'different' })).toBe(text.different);
  expect(obstacleTo(open({ kind: 'passkey.enrolled', person: 'A', key }), { ...now, comparison: 'open' })).toBeUndefined();
});

test.each([
  ['signed already', open(suspends, {}, ['A']), now, text.signed],
  ['not offered', open(suspends, { allowed: undefined }), now, text.notOffered],
  ['over', open(suspends), { ...now, over: true }, text.over],
  ['concealed', open(joins, { disclosed: { values: new Map([['name', 'Cyd']]), concealed: 1 } }), now, text.concealed],
  ['nameless', open(joins, { disclosed: { values: new Map(), concealed: 0 } }), now, text.nameless],
])('%s', (_, act, at, why) => {
  expect(obstacleTo(act, at)).toBe(why);
});

test('a fingerprint is compared digit by digit, however it is written', () => {
  expect(compareFingerprint('0123-4567 89AB cdef0123', FINGERPRINT).comparison).toBe('same');
  expect(compareFingerprint('0123 45', FINGERPRINT)).toEqual({ comparison: 'open', left: 14 });
  for (const other of ['1', '0123 4567 89ab cdef 0124', '0123 4567 89ab cdef 01234', 'x']) expect(compareFingerprint(other, FINGERPRINT).comparison).toBe('different');
  expect(compareFingerprint('', '').comparison).toBe('different');
});
