import { expect, test } from 'vitest';
import type { Schema } from '../../client/client';
import { canonicalize, type JsonObject } from '../../verify/canonical';
import { challenge, sha256, sha256Hex, toBase64Url, utf8 } from '../../verify/digest';
import { Different } from '../documents/findings';
import { examineDraft, type Asking } from './examine-draft';

const NOW = Date.parse('2026-03-01T14:05:00Z');
const DATA = { kind: 'change', title: 'Change a database', form: { type: 'object' } };
const FILE = { name: 'down.sql', media_type: 'application/sql', size: 3, sha256: 'a'.repeat(64) };
const DISCLOSURE = toBase64Url(utf8('["c2FsdHNhbHRzYWx0c2FsdA","justification","because"]'));

const ASKED: Schema<'DraftRequest'> = {
  entitlement: 'db-change',
  parameters: { database: 'shop' } as unknown as Record<string, never>,
  grant_seconds: 900,
  artifacts: [FILE],
  undo: ['down.sql'],
  justification: 'because',
  ticket: 'OPS-7',
};

async function document(): Promise<JsonObject> {
  return {
    type: 'urn:chancery:request:v1',
    log_origin: 'log.example',
    id: '01JD3Z5YQX8M0V4K2T7B9C6E1A',
    revision: 1,
    entitlement: { name: 'db-change', sha256: await sha256Hex(canonicalize(DATA)) },
    requester: 'ME',
    beneficiary: { person: 'ME' },
    parameters: { database: 'shop' },
    artifacts: [FILE],
    undo: ['down.sql'],
    ticket: 'OPS-7',
    clocks: { grant_seconds: 900 },
    created_at: '2026-03-01T14:05:00Z',
    _sd: [toBase64Url(await sha256(utf8(DISCLOSURE)))],
  };
}

async function draftOf(content: JsonObject, change: Partial<Schema<'Draft'>> = {}): Promise<Schema<'Draft'>> {
  const text = canonicalize(content);
  const signed = toBase64Url(await challenge('request', text));
  const options = { challenge: signed, timeout: 1, rpId: 'localhost', allowCredentials: [{ type: 'public-key', id: 'aWQ' }], userVerification: 'required' };
  return {
    document: text,
    request_sha256: await sha256Hex(text),
    challenge: signed,
    disclosures: [DISCLOSURE],
    public_key: options as Schema<'RequestOptions'>,
    preview: { verdict: {}, stages: [], missing: [] },
    ...change,
  };
}

function asking(): Asking {
  const entitlement = { name: 'db-change', sha256: '', title: '', kind: 'change', form: {}, data: DATA } as unknown as Schema<'EntitlementView'>;
  return { person: 'ME', server: { log_origin: 'log.example', rp_id: 'localhost' }, entitlement, revision: 1, now: NOW };
}

test('a draft that says what was asked may be signed', async () => {
  const checked = await examineDraft(ASKED, await draftOf(await document()), asking());
  expect(checked.allowed).toEqual(['aWQ']);
  expect(checked.document.challenge).toEqual(await challenge('request', checked.document.text));
});

// A server that was taken over answers with something else than was asked for.
test.each<[string, JsonObject]>([
  ['request document', { surprise: true }],
  ['log', { log_origin: 'other.example' }],
  ['revision', { revision: 2 }],
  ['entitlement', { entitlement: { name: 'ssh-admin', sha256: 'b'.repeat(64) } }],
  ['requester', { requester: 'OTHER' }],
  ['beneficiary', { beneficiary: { person: 'OTHER' } }],
  ['key', { beneficiary: { person: 'ME', public_key: 'ssh-ed25519 AAAA' } }],
  ['parameter database', { parameters: { database: 'payments' } }],
  ['parameter force', { parameters: { database: 'shop', force: true } }],
  ['files', { artifacts: [{ ...FILE, sha256: 'b'.repeat(64) }] }],
  ['files', { artifacts: [] }],
  ['undo', { undo: [] }],
  ['ticket', { ticket: 'OPS-8' }],
  ['length', { clocks: { grant_seconds: 901 } }],
  ['start', { clocks: { grant_seconds: 900, not_before: '2026-03-02T00:00:00Z' } }],
  ['time', { created_at: '2026-03-01T14:11:00Z' }],
  ['reason', { _sd: [] }],
])('a changed %s is refused', async (what, change) => {
  const draft = await draftOf({ ...(await document()), ...change });
  const fault = await examineDraft(ASKED, draft, asking()).catch((caught: unknown) => caught);
  expect(fault).toBeInstanceOf(Different);
  expect((fault as Different).findings.map((finding) => finding.what)).toContain(what);
});

test.each<[string, Partial<Schema<'Draft'>>]>([
  ['request digest', { request_sha256: 'c'.repeat(64) }],
  ['challenge', { challenge: 'AAAA' }],
  ['disclosure', { disclosures: [toBase64Url(utf8('["c2FsdA","justification","something else"]'))] }],
  ['reason', { disclosures: [] }],
])('a wrong %s beside the document is refused', async (what, change) => {
  const fault = await examineDraft(ASKED, await draftOf(await document(), change), asking()).catch((caught: unknown) => caught);
  expect((fault as Different).findings.map((finding) => finding.what)).toContain(what);
});

test('another challenge for the passkey is refused, and one that no passkey may answer', async () => {
  const draft = await draftOf(await document());
  const other = { ...draft, public_key: { ...draft.public_key, challenge: 'AAAA', rpId: 'evil.example', allowCredentials: [] } };
  const fault = await examineDraft(ASKED, other, asking()).catch((caught: unknown) => caught);
  expect((fault as Different).findings.map(({ what }) => what)).toEqual(['challenge', 'relying party', 'passkey']);
});

test('a revision must be of the request that is edited', async () => {
  const draft = await draftOf({ ...(await document()), revision: 3 });
  const fault = await examineDraft({ ...ASKED, revises: 'OTHER' }, draft, { ...asking(), revision: 3 }).catch((caught: unknown) => caught);
  expect((fault as Different).findings.map(({ what }) => what)).toEqual(['request']);
});

test('a reason that nobody wrote is refused', async () => {
  const { justification: _, ...silent } = ASKED;
  await expect(examineDraft(silent, await draftOf(await document()), asking())).rejects.toThrow(Different);
});
