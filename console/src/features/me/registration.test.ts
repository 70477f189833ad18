import { expect, test } from 'vitest';
import type { Schema } from '../../client/client';
import { toBase64Url, utf8 } from '../../verify/digest';
import { creationOptions } from './registration';

const options: Schema<'CreationOptions'> = {
  rp: { id: 'evil.example', name: 'Evil' },
  user: { id: toBase64Url(utf8('01HZ')), name: 'other', displayName: 'other' },
  challenge: 'AAAA',
  pubKeyCredParams: [{ type: 'public-key', alg: -65535 }],
  timeout: 1,
  excludeCredentials: [{ type: 'public-key', id: 'Y3JlZA' }],
  authenticatorSelection: { residentKey: 'discouraged', requireResidentKey: false, userVerification: 'discouraged' },
  attestation: 'indirect',
};

test('relying party, algorithms and verification are not for the answer to choose', () => {
  const asked = creationOptions(options, 'chancery.example', 'Ada Ames');
  expect(asked.rp.id).toBe('chancery.example');
  expect(asked.pubKeyCredParams.map(({ alg }) => alg)).toEqual([-7, -8, -257]);
  expect(asked.authenticatorSelection).toEqual({ residentKey: 'required', requireResidentKey: true, userVerification: 'required' });
  expect(asked.attestation).toBe('none');
  expect(asked.user.displayName).toBe('Ada Ames');
});

test('passkeys that are enrolled are left out, and bytes are read strictly', () => {
  expect(creationOptions(options, 'chancery.example', 'Ada').excludeCredentials).toHaveLength(1);
  expect(() => creationOptions({ ...options, challenge: 'A=' }, 'chancery.example', 'Ada')).toThrow('base64url');
});
