/** The documents that people sign, and what stands in events, field by field (docs/spec/{documents,events}.md). */

import { parseStrict, type JsonObject } from './canonical';
import type { Bytes } from './digest';
import { moment } from './moment';
import { byName, bytes, digest, filled, flag, id, list, object, oneOf, optional, otherwise, record, refuse, tagged, text, textSet, u32, u64, whenThere, type Shape } from './shape';

/** A document whose text is its own canonical form; it is what was hashed. */
export const canonicalText: Shape<string> = (value) => {
  const read = text(value);
  parseStrict(read);
  return read;
};

/** Reads the document in a canonical text. */
export function decode<T>(shape: Shape<T>, canonical: string | Uint8Array): T {
  return shape(parseStrict(canonical));
}

export interface Assertion {
  credential_id: Bytes;
  authenticator_data: Bytes;
  client_data_json: Bytes;
  signature: Bytes;
}

const credentialId = bytes(255);

export const assertion = record<Assertion>({
  credential_id: credentialId,
  authenticator_data: bytes(512),
  client_data_json: bytes(1024),
  signature: bytes(512),
});

export interface Passkey {
  credential_id: Bytes;
  public_key: Bytes;
  aaguid: Bytes;
  backup_eligible: boolean;
  attestation_sha256: string | undefined;
}

export const passkey = record<Passkey>({
  credential_id: credentialId,
  public_key: bytes(640),
  aaguid: bytes(16),
  backup_eligible: flag,
  attestation_sha256: optional(digest),
});

/** Whether its maker was believed when it was enrolled, and it cannot be synced. */
export function isHardware(key: Passkey): boolean {
  return key.attestation_sha256 !== undefined && !key.backup_eligible;
}

export interface PersonSignature {
  person: string;
  assertion: Assertion;
}

export interface RecoverySignature {
  public_key: Bytes;
  signature: Bytes;
}

/** On whose word an event of people or policy stands. */
export type Authority =
  | { by: 'genesis' }
  | { by: 'people'; document: string; signatures: PersonSignature[] }
  | { by: 'recovery_keys'; document: string; signatures: RecoverySignature[] };

const personSignature = record<PersonSignature>({ person: id, assertion });
const recoverySignature = record<RecoverySignature>({ public_key: bytes(32), signature: bytes(64) });
/** Signatures of people, as they stand beside a trust.json. */
export const personSignatures = list(personSignature);

const people = record<{ document: string; signatures: PersonSignature[] }>({ document: canonicalText, signatures: personSignatures });
const recoveryKeys = record<{ document: string; signatures: RecoverySignature[] }>({ document: canonicalText, signatures: list(recoverySignature) });

export const authority = tagged<Authority>({
  genesis: (value) => ({ by: 'genesis', ...record<object>({})(value) }),
  people: (value) => ({ by: 'people', ...people(value) }),
  recovery_keys: (value) => ({ by: 'recovery_keys', ...recoveryKeys(value) }),
});

export interface GrantTerms {
  max_seconds: number;
  not_before: number;
  not_after: number;
}

export const grantTerms = record<GrantTerms>({ max_seconds: u64, not_before: moment, not_after: moment });

/** Whether both are the same terms. */
export function sameTerms(left: GrantTerms, right: GrantTerms): boolean {
  return left.max_seconds === right.max_seconds && left.not_before === right.not_before && left.not_after === right.not_after;
}

export interface RequestDocument {
  type: 'urn:chancery:request:v1';
  log_origin: string;
  id: string;
  revision: number;
  entitlement: { name: string; sha256: string };
  requester: string;
  beneficiary: { person: string; public_key: string | undefined };
  parameters: JsonObject;
  artifacts: { name: string; media_type: string; size: number; sha256: string }[];
  undo: string[];
  ticket: string | undefined;
  clocks: { grant_seconds: number; not_before: number | undefined };
  created_at: number;
  _sd: string[];
}

export const requestDocument = record<RequestDocument>({
  type: oneOf('urn:chancery:request:v1'),
  log_origin: text,
  id,
  revision: u32,
  entitlement: record<RequestDocument['entitlement']>({ name: text, sha256: digest }),
  requester: id,
  beneficiary: record<RequestDocument['beneficiary']>({ person: id, public_key: whenThere(text) }),
  parameters: object,
  artifacts: list(record<RequestDocument['artifacts'][number]>({ name: text, media_type: text, size: u64, sha256: digest })),
  undo: list(text),
  ticket: whenThere(text),
  clocks: record<RequestDocument['clocks']>({ grant_seconds: u64, not_before: whenThere(moment) }),
  created_at: moment,
  _sd: filled(text),
});

export type DecisionKind = 'approve' | 'reject' | 'withdraw' | 'revoke' | 'override' | 'break_glass';

export interface DecisionDocument {
  type: 'urn:chancery:decision:v1';
  log_origin: string;
  request: { id: string; revision: number; sha256: string };
  verdict_sha256: string;
  policy_sha256: string;
  decision: DecisionKind;
  approver: string;
  credential_id_sha256: string;
  stages: { id: string; quorum: number }[];
  grant: GrantTerms;
  reason_sha256: string | undefined;
  /** Of a rejection that reports the request. */
  suspicious: true | undefined;
  checkpoint: { size: number; root: string };
  nonce: string;
  issued_at: number;
  expires_at: number;
}

export const decisionDocument = record<DecisionDocument>({
  type: oneOf('urn:chancery:decision:v1'),
  log_origin: text,
  request: record<DecisionDocument['request']>({ id, revision: u32, sha256: digest }),
  verdict_sha256: digest,
  policy_sha256: digest,
  decision: oneOf('approve', 'reject', 'withdraw', 'revoke', 'override', 'break_glass'),
  approver: id,
  credential_id_sha256: digest,
  stages: list(record<DecisionDocument['stages'][number]>({ id: text, quorum: u32 })),
  grant: grantTerms,
  reason_sha256: whenThere(digest),
  suspicious: whenThere((value) => value === true || refuse('`suspicious` is `true`, or it is left out')),
  checkpoint: record<DecisionDocument['checkpoint']>({ size: u64, root: digest }),
  nonce: text,
  issued_at: moment,
  expires_at: moment,
});

export interface SessionDocument {
  type: 'urn:chancery:session:v1';
  log_origin: string;
  person: string;
  public_key: string | undefined;
  nonce: string;
  issued_at: number;
  expires_at: number;
}

export const sessionDocument = record<SessionDocument>({
  type: oneOf('urn:chancery:session:v1'),
  log_origin: text,
  person: id,
  public_key: whenThere(text),
  nonce: text,
  issued_at: moment,
  expires_at: moment,
});

export interface IdentityDocument {
  type: 'urn:chancery:identity:v1';
  log_origin: string;
  act: string;
  body: JsonObject;
  nonce: string;
  issued_at: number;
  expires_at: number;
}

export const identityDocument = record<IdentityDocument>({
  type: oneOf('urn:chancery:identity:v1'),
  log_origin: text,
  act: text,
  body: object,
  nonce: text,
  issued_at: moment,
  expires_at: moment,
});

export type Outcome = 'allow' | 'require_approval' | 'deny';
export const outcome = oneOf('allow', 'require_approval', 'deny');

/** Whom a stage asks. */
export type Selector =
  | { all: Selector[] }
  | { any: Selector[] }
  | { not: Selector }
  | { role: string }
  | { group: string }
  | { attribute: Map<string, string> }
  | { person: string }
  | { manager_of: 'requester' };

/** An object with one member, whose name says what it is. */
export const selector: Shape<Selector> = (value) => {
  const entries = Object.entries(object(value));
  const [name, inner] = entries.length === 1 && entries[0] ? entries[0] : ['', undefined];
  switch (name) {
    case 'all':
      return { all: list(selector)(inner) };
    case 'any':
      return { any: list(selector)(inner) };
    case 'not':
      return { not: selector(inner) };
    case 'attribute':
      return { attribute: byName(text)(inner) };
    case 'person':
      return { person: id(inner) };
    case 'manager_of':
      return { manager_of: oneOf('requester')(inner) };
    default:
      return name === 'role' ? { role: text(inner) } : { group: oneOf('group')(name) && text(inner) };
  }
};

export interface Stage {
  id: string;
  quorum: number;
  from: Selector;
  after: Set<string>;
}

export type Scopes = Map<string, Set<string>>;

export interface VerdictDocument {
  verdict: Outcome;
  risk: { score: number; tier: string; factors: { factor: string; points: number; detail: string }[] };
  stages: Stage[];
  constraints: { pending_seconds: number; approval_validity_seconds: number; grant_seconds: number; session_seconds: number; scopes: Scopes };
  obligations: Set<string>;
  reasons: { rule: string; message: string; remedy: string }[];
  policy_sha256: string;
  input_sha256: string;
  engine: string;
}

const i32: Shape<number> = (value) => (typeof value === 'number' && value < 0 ? -u32(-value) : u32(value));

export const verdictDocument = record<VerdictDocument>({
  verdict: outcome,
  risk: record<VerdictDocument['risk']>({
    score: u32,
    tier: text,
    factors: list(record<VerdictDocument['risk']['factors'][number]>({ factor: text, points: i32, detail: text })),
  }),
  stages: list(record<Stage>({ id: text, quorum: u32, from: selector, after: textSet })),
  constraints: record<VerdictDocument['constraints']>({
    pending_seconds: u64,
    approval_validity_seconds: u64,
    grant_seconds: u64,
    session_seconds: u64,
    scopes: otherwise(byName(textSet), new Map()),
  }),
  obligations: textSet,
  reasons: list(record<VerdictDocument['reasons'][number]>({ rule: text, message: text, remedy: text })),
  policy_sha256: digest,
  input_sha256: digest,
  engine: text,
});
