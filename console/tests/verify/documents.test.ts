/** Signed documents have one spelling: what is left out is neither `null` nor an empty list. */
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/verify/canonical';
import { requestDocument } from '../../src/verify/documents';

const id = '01M8C6X858CWC4AGTJYP7T4NDG';
const document = {
  type: 'urn:chancery:request:v1',
  log_origin: 'log.example',
  id,
  revision: 1,
  entitlement: { name: 'ssh-admin', sha256: '0'.repeat(64) },
  requester: id,
  beneficiary: { person: id },
  parameters: {},
  artifacts: [],
  undo: [],
  clocks: { grant_seconds: 600 },
  created_at: '2026-11-22T10:00:00Z',
};

it('takes what is left out', () => {
  expect(requestDocument(document)).toMatchObject({ ticket: undefined, _sd: [] });
});

it.each<JsonObject>([
  { ticket: null },
  { beneficiary: { person: id, public_key: null } },
  { clocks: { grant_seconds: 600, not_before: null } },
  { _sd: [] },
])('refuses %j', (member) => {
  expect(() => requestDocument({ ...document, ...member })).toThrow();
});
