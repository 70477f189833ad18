/** What stands in the log: leaves, and the bodies of events (docs/spec/events.md). */

import { canonicalize, isObject, parseStrict, type Json, type JsonObject } from './canonical';
import type { Bytes } from './digest';
import {
  assertion,
  authority,
  canonicalText,
  grantTerms,
  outcome,
  passkey,
  type Assertion,
  type Authority,
  type GrantTerms,
  type Outcome,
  type Passkey,
} from './documents';
import { moment } from './moment';
import { byName, bytes, digest, flag, id, idSet, list, object, oneOf, optional, record, refuse, tagged, text, textSet, u32, u64, whenThere, type Shape } from './shape';

/** The longest leaf that the log takes. */
export const MAX_LEAF_BYTES = 4096;

/** One event as its leaf has it. */
export interface EventLeaf {
  stream: string;
  version: number;
  previous: string | undefined;
  kind: string;
  time: number;
  body: JsonObject;
}

/** A leaf: something that happened, or an attestation by its digest. */
export type Content = { event: EventLeaf } | { attestation: Uint8Array };

const stream: Shape<string> = (value) => {
  const read = text(value);
  const [kind, name, ...rest] = read.split('/');
  const known = read === 'policy' || read === 'trust' || ((kind === 'request' || kind === 'identity' || kind === 'alert') && rest.length === 0 && id(name) === name);
  return known ? read : refuse(`\`${read.slice(0, 60)}\` is not a stream`);
};

const eventLeaf = record<EventLeaf>({ stream, version: u64, previous: whenThere(digest), kind: text, time: moment, body: object });
const envelope = record<{ apiVersion: string; kind: string; spec: Json }>({ apiVersion: text, kind: text, spec: object });

/** Reads a leaf's bytes. */
export function readLeaf(bytes: Uint8Array): Content {
  if (bytes.length > MAX_LEAF_BYTES) refuse(`it has more than ${MAX_LEAF_BYTES} bytes`);
  const value = parseStrict(bytes);
  if (isObject(value) && value.kind === 'hashedrekord' && value.apiVersion === '0.0.2') return { attestation: bytes };
  const { apiVersion, kind, spec } = envelope(value);
  if (apiVersion !== 'chancery/v1' || kind !== 'event') refuse(`the leaf is not a \`chancery/v1\` event: \`${apiVersion}\` \`${kind}\``);
  const event = eventLeaf(spec);
  if (event.version === 0) refuse('versions start at 1');
  if ((event.version === 1) !== (event.previous === undefined)) refuse('`previous` stands in every event of a stream but the first');
  return { event };
}

export type RequestSignature =
  | { by: 'passkey'; assertion: Assertion }
  | { by: 'session_key'; session: string; introduction: Assertion; signature: Bytes };

const passkeySignature = record<{ assertion: Assertion }>({ assertion });
const sessionSignature = record<{ session: string; introduction: Assertion; signature: Bytes }>({
  session: canonicalText,
  introduction: assertion,
  signature: bytes(64),
});

const requestSignature = tagged<RequestSignature>({
  passkey: (value) => ({ by: 'passkey', ...passkeySignature(value) }),
  session_key: (value) => ({ by: 'session_key', ...sessionSignature(value) }),
});

export interface Submitted {
  revision: number;
  request_sha256: string;
  requester: string;
  beneficiary: string;
  entitlement: string;
  signature: RequestSignature;
  possession: Bytes | undefined;
}

export type Phase = 'request' | 'approve' | 'issue' | 'runtime' | 'change';

export interface Judged {
  revision: number;
  phase: Phase;
  outcome: Outcome;
  verdict_sha256: string;
  input_sha256: string;
  policy_sha256: string;
  grant: GrantTerms | undefined;
  lapses_at: number | undefined;
  risk_score: number;
  attestation_sha256: string | undefined;
}

export interface DecisionRecorded {
  document: string;
  assertion: Assertion;
  attestation_sha256: string | undefined;
}

export type Seating = Map<string, Set<string>>;

export interface Approved {
  revision: number;
  seats: Seating;
  starts_by: number;
  attestation_sha256: string | undefined;
}

export interface Activated {
  started_at: number;
  ends_at: number;
}

export interface LeaseIntended {
  lease: string;
  credential: string;
  serial: string;
  to_be_signed_sha256: string;
  issuer_nonce: string;
  not_after: number;
}

export interface LeaseIssued {
  lease: string;
  attestation_sha256: string | undefined;
}

export interface LeaseRevoked extends LeaseIssued {
  list_number: string;
}

/** An event of a request, by its kind. */
export interface RequestBodies {
  'request.submitted': Submitted;
  'request.revised': Submitted;
  'request.judged': Judged;
  'decision.recorded': DecisionRecorded;
  'decision.refused': { person: string; code: string };
  'request.approved': Approved;
  'request.rejected': { person: string };
  'request.mismatched': { person: string };
  'request.cancelled': { person: string };
  'request.lapsed': { clock: 'pending' | 'approval_validity' };
  'grant.activated': Activated;
  'lease.intended': LeaseIntended;
  'lease.issued': LeaseIssued;
  'lease.revoked': LeaseRevoked;
  'grant.expired': { ended_at: number };
  'grant.ended': { person: string };
  'grant.revoked': { person: string };
  'execution.finished': { outcome: 'completed' | 'failed' | 'unknown' };
  'rollback.started': { person: string };
  'rollback.finished': { applied: boolean };
  'redaction.made': { person: string; digests: string[]; attestation_sha256: string | undefined };
}

/** Kind and body of one event, of one of these kinds. */
export type Event<Bodies> = { [K in keyof Bodies & string]: { kind: K; body: Bodies[K] } }[keyof Bodies & string];
export type RequestEvent = Event<RequestBodies>;

const submitted = record<Submitted>({
  revision: u32,
  request_sha256: digest,
  requester: id,
  beneficiary: id,
  entitlement: text,
  signature: requestSignature,
  possession: optional(bytes(1536)),
});

const byPerson = record<{ person: string }>({ person: id });

const requestBodies: { [K in keyof RequestBodies]: Shape<RequestBodies[K]> } = {
  'request.submitted': submitted,
  'request.revised': submitted,
  'request.judged': record<Judged>({
    revision: u32,
    phase: oneOf('request', 'approve', 'issue', 'runtime', 'change'),
    outcome,
    verdict_sha256: digest,
    input_sha256: digest,
    policy_sha256: digest,
    grant: optional(grantTerms),
    lapses_at: optional(moment),
    risk_score: u32,
    attestation_sha256: optional(digest),
  }),
  'decision.recorded': record<DecisionRecorded>({ document: canonicalText, assertion, attestation_sha256: optional(digest) }),
  'decision.refused': record<RequestBodies['decision.refused']>({ person: id, code: text }),
  'request.approved': record<Approved>({ revision: u32, seats: byName(idSet), starts_by: moment, attestation_sha256: optional(digest) }),
  'request.rejected': byPerson,
  'request.mismatched': byPerson,
  'request.cancelled': byPerson,
  'request.lapsed': record<RequestBodies['request.lapsed']>({ clock: oneOf('pending', 'approval_validity') }),
  'grant.activated': record<Activated>({ started_at: moment, ends_at: moment }),
  'lease.intended': record<LeaseIntended>({
    lease: id,
    credential: text,
    serial: text,
    to_be_signed_sha256: digest,
    issuer_nonce: text,
    not_after: moment,
  }),
  'lease.issued': record<LeaseIssued>({ lease: id, attestation_sha256: optional(digest) }),
  'lease.revoked': record<LeaseRevoked>({ lease: id, list_number: text, attestation_sha256: optional(digest) }),
  'grant.expired': record<RequestBodies['grant.expired']>({ ended_at: moment }),
  'grant.ended': byPerson,
  'grant.revoked': byPerson,
  'execution.finished': record<RequestBodies['execution.finished']>({ outcome: oneOf('completed', 'failed', 'unknown') }),
  'rollback.started': byPerson,
  'rollback.finished': record<RequestBodies['rollback.finished']>({ applied: flag }),
  'redaction.made': record<RequestBodies['redaction.made']>({ person: id, digests: list(text), attestation_sha256: optional(digest) }),
};

export interface PersonCreated {
  person: string;
  passkey: Passkey;
  roles: Set<string>;
  attributes: Map<string, string>;
  _sd: string[];
  authority: Authority;
}

interface About {
  person: string;
  authority: Authority;
}

export interface IdentityBodies {
  'person.created': PersonCreated;
  'passkey.enrolled': About & { passkey: Passkey };
  'passkey.removed': About & { credential_id: Bytes };
  'role.granted': About & { role: string };
  'role.removed': About & { role: string };
  'attribute.assigned': About & { name: string; value: string };
  'person.suspended': About;
  'person.reinstated': About;
  'person.recovered': About & { passkey: Passkey };
  'recovery.cancelled': About & { credential_id: Bytes };
}

export type IdentityEvent = Event<IdentityBodies>;

const about = { person: id, authority };
const aboutPasskey = record<About & { passkey: Passkey }>({ ...about, passkey });
const aboutCredential = record<About & { credential_id: Bytes }>({ ...about, credential_id: bytes(255) });
const aboutRole = record<About & { role: string }>({ ...about, role: text });

const identityBodies: { [K in keyof IdentityBodies]: Shape<IdentityBodies[K]> } = {
  'person.created': record<PersonCreated>({ ...about, passkey, roles: textSet, attributes: byName(text), _sd: list(text) }),
  'passkey.enrolled': aboutPasskey,
  'passkey.removed': aboutCredential,
  'role.granted': aboutRole,
  'role.removed': aboutRole,
  'attribute.assigned': record<IdentityBodies['attribute.assigned']>({ ...about, name: text, value: text }),
  'person.suspended': record<About>(about),
  'person.reinstated': record<About>(about),
  'person.recovered': aboutPasskey,
  'recovery.cancelled': aboutCredential,
};

export interface PolicyActivated {
  sequence: number;
  from: string | undefined;
  to: string;
  engine: string;
  authority: Authority;
}

export type PolicyEvent = Event<{ 'policy.activated': PolicyActivated }>;

const policyBodies = {
  'policy.activated': record<PolicyActivated>({ sequence: u64, from: optional(digest), to: digest, engine: text, authority }),
};

/** Reads the events of a stream. */
export function reader<Bodies>(bodies: { [K in keyof Bodies]: Shape<Bodies[K]> }): (leaf: EventLeaf) => Event<Bodies> {
  return ({ kind, body }) => {
    const shape = Object.hasOwn(bodies, kind) ? (bodies as { [kind: string]: Shape<unknown> })[kind] : undefined;
    return shape === undefined ? refuse(`\`${kind}\` is no kind of this stream`) : ({ kind, body: shape(body) } as Event<Bodies>);
  };
}

export const readRequestEvent = reader<RequestBodies>(requestBodies);
export const readIdentityEvent = reader<IdentityBodies>(identityBodies);
export const readPolicyEvent = reader<{ 'policy.activated': PolicyActivated }>(policyBodies);

/** The passkey that an event brings. */
export function passkeyOf(event: IdentityEvent): Passkey | undefined {
  return 'passkey' in event.body ? event.body.passkey : undefined;
}

/** A body without some of its members. */
export function without(body: JsonObject, ...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}

/** Whether both are the same JSON. */
export function sameJson(left: Json, right: Json): boolean {
  return canonicalize(left) === canonicalize(right);
}
