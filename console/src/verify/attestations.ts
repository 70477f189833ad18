/** Attestations: signed by a key for their kind, logged where their bundle says, saying what their event says. */

import { canonicalize, isObject, parseStrict, type Json, type JsonObject } from './canonical';
import type { CertificateFacts } from './certificate';
import type { Files } from './container';
import { equal, sha256Hex, toBase64Url } from './digest';
import { decisionDocument, decode, type GrantTerms } from './documents';
import { sameJson, without, type Approved, type IdentityEvent, type LeaseIssued, type PolicyEvent, type RequestEvent } from './events';
import type { Versions } from './inForce';
import type { P256Key } from './keys';
import { ATTESTATION_PREFIX, attestationPath, proofPath } from './layout';
import { publicFacts } from './lease';
import type { Case } from './lifecycle';
import type { Contents, Recorded, Streams } from './log';
import { written } from './moment';
import { noteText, parseCheckpoint, parseProof, type VerifierKey } from './note';
import type { Directories } from './people';
import { reason, refuse } from './shape';
import { checkEntry, claimed, parseBundle, parseStatement, signedBytes, signedDigest, type Bundle } from './sigstore';
import type { TrustRoot } from './trust';

/** Problems of the three checks. */
export interface AttestationProblems {
  signatures: string[];
  logEntries: string[];
  contents: string[];
  /** How many attestations there are. */
  count: number;
}

/** What an attestation must say, and of what. */
interface Said {
  predicate: string;
  subject: { name: string; sha256: string };
  body: JsonObject;
}

/** What an attestation of one event must be. */
interface Expected {
  named: string | undefined;
  leaf: number | undefined;
  /** `undefined` for what is not attested; a text says why it cannot be known. */
  said: Said | undefined | string;
}

/** Which revision, on which terms, an event of the request is about. */
interface Standing {
  request_sha256: string | undefined;
  grant: GrantTerms | undefined;
}

/** Everything that attestations are held against. */
export interface Attested {
  files: Files;
  versions: Versions;
  key: VerifierKey;
  contents: Contents;
  directories: Directories;
  certificates: ReadonlyMap<string, CertificateFacts>;
  subject: Case;
}

export async function attestationProblems(attested: Attested, streams: Streams): Promise<AttestationProblems> {
  const problems: AttestationProblems = { signatures: [], logEntries: [], contents: [], count: 0 };
  const leaves = new Set<string>();
  const one = async (event: number, expected: Expected): Promise<void> => {
    if (expected.leaf !== undefined) leaves.add(attestationPath(expected.leaf));
    await checkOne(attested, event, expected, problems);
  };
  const standing: Standing = { request_sha256: undefined, grant: undefined };
  for (const recorded of streams.request) {
    takeIn(standing, recorded.event);
    await one(recorded.index, await ofRequest(attested, recorded, standing));
  }
  for (const recorded of streams.policy) await one(recorded.index, ofPolicy(recorded));
  for (const recorded of streams.identity) await one(recorded.index, await ofIdentity(recorded));
  for (const path of attested.files.keys()) {
    if (path.startsWith(ATTESTATION_PREFIX) && !leaves.has(path)) problems.logEntries.push(`\`${path}\` is of no attestation in these streams`);
  }
  return problems;
}

function takeIn(standing: Standing, event: RequestEvent): void {
  if (event.kind === 'request.submitted' || event.kind === 'request.revised') {
    Object.assign(standing, { request_sha256: event.body.request_sha256, grant: undefined });
  }
  if (event.kind === 'request.judged' && event.body.phase === 'request') standing.grant = event.body.grant;
}

async function ofRequest(attested: Attested, recorded: Recorded<RequestEvent>, standing: Standing): Promise<Expected> {
  const { event, attestation: leaf } = recorded;
  const named = 'attestation_sha256' in event.body ? event.body.attestation_sha256 : undefined;
  // An event that names no attestation needs none.
  const none = standing.request_sha256 === undefined || (named === undefined && leaf === undefined);
  if (none) return { named, leaf, said: undefined };
  const subject = { name: `request/${attested.subject.id}`, sha256: standing.request_sha256 ?? '' };
  try {
    const content = contentOf(attested, recorded, standing.grant);
    return { named, leaf, said: content && { ...content, subject } };
  } catch (error) {
    return { named, leaf, said: reason(error) };
  }
}

/** What the attestation of this event says; `undefined` for kinds that are not attested. */
function contentOf(attested: Attested, { event, leaf, index, attestation }: Recorded<RequestEvent>, grant: GrantTerms | undefined): Omit<Said, 'subject'> | undefined {
  switch (event.kind) {
    case 'request.judged':
      return { predicate: 'verdict', body: stripped(leaf.body) };
    case 'decision.recorded':
      return { predicate: 'decision', body: decisionContent(attested, leaf.body, index) };
    case 'request.approved':
      return { predicate: 'grant', body: grantContent(event.body, grant) };
    case 'lease.issued':
      return { predicate: 'issuance', body: issuanceContent(attested, event.body, attestation) };
    case 'lease.revoked':
      return { predicate: 'revocation', body: { lease: event.body.lease, list_number: event.body.list_number } };
    case 'redaction.made':
      return { predicate: 'redaction', body: stripped(leaf.body) };
    default:
      return undefined;
  }
}

/** The body without the attestation's name, and without members that say nothing. */
function stripped(body: JsonObject): JsonObject {
  const present = Object.entries(without(body, 'attestation_sha256')).filter(([, value]) => value !== null);
  return Object.fromEntries(present);
}

/** The decision's signed bytes, the whole assertion, and the public key that verifies it. */
function decisionContent({ directories }: Attested, body: JsonObject, index: number): JsonObject {
  const document = decode(decisionDocument, String(body.document));
  const keys = directories.before(index).person(document.approver)?.passkeys;
  const assertion: JsonObject = isObject(body.assertion) ? body.assertion : {};
  const passkey = [...(keys?.values() ?? [])].find((key) => toBase64Url(key.credential_id) === assertion.credential_id);
  if (passkey === undefined) return refuse("the attestation needs the approver's passkey, which is not there");
  return { document: String(body.document), assertion, credential_public_key: toBase64Url(passkey.public_key) };
}

/** Seats and terms. */
function grantContent({ revision, seats, starts_by }: Approved, grant: GrantTerms | undefined): JsonObject {
  const terms = grant ?? refuse('the attestation needs the grant terms, which are not there');
  return {
    revision,
    seats: Object.fromEntries([...seats].map(([stage, people]) => [stage, [...people].sort()])),
    starts_by: written(starts_by),
    grant: { max_seconds: terms.max_seconds, not_before: written(terms.not_before), not_after: written(terms.not_after) },
  };
}

/**
 * What was announced, and the public facts of what was signed: as read from the certificate in the bundle, or else as the
 * attestation itself claims, whose signature is checked beside it.
 */
function issuanceContent({ subject, certificates, files }: Attested, { lease }: LeaseIssued, attestation: number | undefined): JsonObject {
  const intended = subject.intended.find(({ event }) => event.lease === lease)?.event ?? refuse('the attestation needs the announcement of the lease, which is not there');
  const facts = certificates.get(lease);
  const certificate = facts === undefined ? claimedCertificate(files, attestation) : publicFacts(facts);
  return {
    lease,
    credential: intended.credential,
    serial: intended.serial,
    to_be_signed_sha256: intended.to_be_signed_sha256,
    not_after: written(intended.not_after),
    certificate: certificate ?? refuse('the attestation needs the public facts of the certificate, which are not there'),
  };
}

function claimedCertificate(files: Files, attestation: number | undefined): JsonObject | undefined {
  const bytes = attestation === undefined ? undefined : files.get(attestationPath(attestation));
  if (bytes === undefined) return undefined;
  try {
    const said = claimed(parseBundle(bytes).envelope.payload, 'predicate', 'certificate');
    return said !== undefined && isObject(said) ? said : undefined;
  } catch {
    return undefined;
  }
}

function ofPolicy({ event, leaf, attestation }: Recorded<PolicyEvent>): Expected {
  const said = { predicate: 'policy', subject: { name: 'policy', sha256: event.body.to }, body: { event: leaf.kind, body: leaf.body } };
  return { named: undefined, leaf: attestation, said };
}

async function ofIdentity({ event, leaf, attestation }: Recorded<IdentityEvent>): Promise<Expected> {
  const subject = { name: `identity/${event.body.person}`, sha256: await sha256Hex(canonicalize(leaf.body)) };
  return { named: undefined, leaf: attestation, said: { predicate: 'enrolment', subject, body: { event: leaf.kind, body: leaf.body } } };
}

async function checkOne(attested: Attested, event: number, { named, leaf, said }: Expected, problems: AttestationProblems): Promise<void> {
  if (leaf === undefined) {
    if (named !== undefined) problems.logEntries.push(`leaf ${event}: it names an attestation that does not follow it`);
    return;
  }
  problems.count += 1;
  const path = attestationPath(leaf);
  const bundle = readBundle(attested.files, path, problems);
  if (bundle === undefined) return;
  const root = rootAt(attested, event);
  try {
    await checkLogged(attested, leaf, bundle, named, root);
  } catch (error) {
    problems.logEntries.push(`\`${path}\`: ${reason(error)}`);
  }
  if (said === undefined) problems.contents.push(`\`${path}\`: events of this kind are not attested`);
  else if (typeof said === 'string') problems.contents.push(`\`${path}\`: ${said}`);
  else await checkEnvelope(root, path, bundle, said, problems);
}

/** The root that was in force at an event. */
function rootAt({ contents, versions }: Attested, index: number): TrustRoot {
  const content = contents.get(index);
  return content !== undefined && 'event' in content ? versions.at(index, content.event.time) : versions.newest;
}

function readBundle(files: Files, path: string, problems: AttestationProblems): Bundle | undefined {
  const bytes = files.get(path);
  if (bytes === undefined) {
    problems.logEntries.push(`\`${path}\` is missing`);
    return undefined;
  }
  try {
    const bundle = parseBundle(bytes);
    // Loose JSON would be evidence of the same thing in other bytes.
    if (!isCanonical(bytes)) problems.logEntries.push(`\`${path}\` is not in canonical form`);
    return bundle;
  } catch (error) {
    problems.logEntries.push(`\`${path}\`: ${reason(error)}`);
    return undefined;
  }
}

function isCanonical(bytes: Uint8Array): boolean {
  try {
    parseStrict(bytes);
    return true;
  } catch {
    return false;
  }
}

async function checkEnvelope(root: TrustRoot, path: string, { envelope }: Bundle, said: Said, problems: AttestationProblems): Promise<void> {
  const key = await keyOf(root.document.attestation_keys.get(said.predicate) ?? [], envelope.keyId);
  if (key === undefined) {
    problems.signatures.push(`\`${path}\`: the trust root names no key \`${envelope.keyId}\` for attestations of \`${said.predicate}\``);
    return;
  }
  if (!(await key.verify(signedBytes(envelope), envelope.signature))) {
    problems.signatures.push(`\`${path}\`: attestation signature does not verify`);
    return;
  }
  try {
    const { subject, predicateType, predicate } = parseStatement(envelope.payload);
    const [about, ...rest] = subject;
    if (predicateType !== `urn:chancery:attestation:${said.predicate}:v1`) refuse('the attestation differs from its event in its predicate type');
    const sameSubject = about !== undefined && rest.length === 0 && about.name === said.subject.name && about.digest.sha256 === said.subject.sha256;
    if (!sameSubject) refuse('the attestation differs from its event in its subject');
    if (!sameJson(predicate as Json, said.body)) refuse('the attestation differs from its event in its content');
  } catch (error) {
    problems.contents.push(`\`${path}\`: ${reason(error)}`);
  }
}

async function keyOf(keys: readonly P256Key[], name: string): Promise<P256Key | undefined> {
  for (const key of keys) if ((await key.digest()) === name) return key;
  return undefined;
}

/** The Sigstore bundle agrees with leaf, proof and checkpoint, and with the name in the event. */
async function checkLogged({ files, key, contents }: Attested, leaf: number, bundle: Bundle, named: string | undefined, root: TrustRoot): Promise<void> {
  const content = contents.get(leaf);
  const bytes = content !== undefined && 'attestation' in content ? content.attestation : refuse('its leaf is no attestation');
  if (!equal(bundle.leaf, bytes)) refuse('it is about another leaf than the log has there');
  if (named !== undefined && named !== (await signedDigest(bundle.envelope))) refuse('its event names another attestation');
  const attestationKey = await keyOf([...root.document.attestation_keys.values()].flat(), bundle.envelope.keyId);
  if (attestationKey !== undefined) await checkEntry(bundle, attestationKey);
  const proof = parseProof(files.get(proofPath(leaf)) ?? refuse('its proof is missing'));
  const sameHashes = bundle.hashes.length === proof.path.length && bundle.hashes.every((hash, place) => equal(hash, proof.path[place] ?? new Uint8Array()));
  const same = bundle.logIndex === leaf && equal(bundle.logKeyId, key.hash) && bundle.checkpoint === noteText(proof.checkpoint) && sameHashes;
  if (!same) refuse("its proof is another than the leaf's");
  const { root: tree } = parseCheckpoint(proof.checkpoint.text);
  if (bundle.treeSize !== tree.size || !equal(bundle.rootHash, tree.hash)) refuse("its tree is another than the checkpoint's");
}
