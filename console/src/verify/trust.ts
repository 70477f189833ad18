/** What the verifier believes beforehand: `trust.json`, and the files that follow from it. */

import { canonicalize, parseStrict, type Json } from './canonical';
import { equal, fromBase64, fromBase64Url, sha256Hex, toBase64, utf8, type Bytes } from './digest';
import { IDENTITY_ADMIN } from './directory';
import { passkey, personSignatures, type Passkey } from './documents';
import { parseCose } from './cose';
import { ed25519Spki, isAcceptableEd25519, p256FromBase64, type P256Key } from './keys';
import { moment } from './moment';
import { ED25519, isOrigin, keyText, parseVerifierKey, type VerifierKey } from './note';
import { byName, digest, flag, id, list, oneOf, optional, otherwise, record, refuse, tagged, text, textSet, u32, u64, type Shape } from './shape';
import { parseSshKey } from './ssh';
import type { RelyingParty } from './webauthn';
import { parsePolicy, policyText, type WitnessPolicy } from './witness';

const MAX_TRUST_BYTES = 1024 * 1024;
const MAX_CERTIFICATE_BYTES = 8192;
const MAX_RECOVERY_KEYS = 8;
const TRUST = 'trust.json';
const SIGNATURES = 'signatures.json';

/** Every kind of attestation, by its short name. */
export const PREDICATES = [
  ...['enrolment', 'policy', 'verdict', 'decision', 'override', 'break_glass', 'grant', 'issuance', 'revocation'],
  ...['execution', 'rollback', 'redaction'],
] as const;

export interface GenesisPerson {
  id: string;
  roles: Set<string>;
  attributes: Map<string, string>;
  passkeys: Passkey[];
}

export interface Floor {
  minimum_approvers: number;
  maximum_seconds: number;
  allow: boolean;
  break_glass: boolean;
  override_denied: boolean;
  oidc: boolean;
}

/** A maker's root certificate, and the models that it is believed for. */
export interface AttestationRoot {
  certificate: Bytes;
  aaguids: Set<string>;
}

export interface TrustDocument {
  type: 'urn:chancery:trust:v1';
  version: number;
  created_at: number;
  expires_at: number;
  logs: { origin: string; vkey: string; first_index: number | undefined }[];
  witness_policy: string;
  rp_id: string;
  origins: string[];
  genesis: { persons: GenesisPerson[] };
  sealed_with: number;
  administrators_needed: number;
  recovery: { threshold: number; keys: Bytes[] };
  directories: Json[];
  policy: { genesis_sha256: string; owners_needed: number };
  engines: string[];
  floors: Map<string, Floor>;
  attestation_keys: Map<string, P256Key[]>;
  issuers: { public_key: string }[];
  attestation_roots: AttestationRoot[];
}

const origin: Shape<string> = (value) => (isOrigin(text(value)) ? text(value) : refuse('it cannot name a log'));
const no = otherwise(flag, false);

const recoveryKey: Shape<Bytes> = (value) => {
  const key = fromBase64Url(text(value));
  return key !== undefined && isAcceptableEd25519(key) ? key : refuse('it is not an acceptable Ed25519 public key');
};

const p256: Shape<P256Key> = (value) => p256FromBase64(text(value)) ?? refuse('it is not a P-256 public key');

const certificate: Shape<Bytes> = (value) => {
  const der = fromBase64(text(value));
  return der !== undefined && der.length <= MAX_CERTIFICATE_BYTES ? der : refuse('it is not a certificate in DER');
};

/** Distinct models of authenticators, as UUIDs in lower case. */
const models: Shape<Set<string>> = (value) => {
  const named = [...textSet(value)];
  const uuid = (name: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(name);
  return named.every(uuid) ? new Set(named) : refuse('it names what is no model of an authenticator');
};

const trustDocument = record<TrustDocument>({
  type: oneOf('urn:chancery:trust:v1'),
  version: u64,
  created_at: moment,
  expires_at: moment,
  logs: list(record<TrustDocument['logs'][number]>({ origin, vkey: text, first_index: optional(u64) })),
  witness_policy: text,
  rp_id: text,
  origins: list(text),
  genesis: record<TrustDocument['genesis']>({
    persons: list(record<GenesisPerson>({ id, roles: textSet, attributes: byName(text), passkeys: list(passkey) })),
  }),
  sealed_with: u32,
  administrators_needed: u32,
  recovery: record<TrustDocument['recovery']>({ threshold: u32, keys: list(recoveryKey) }),
  directories: list((value) => value ?? null),
  policy: record<TrustDocument['policy']>({ genesis_sha256: digest, owners_needed: u32 }),
  engines: list(text),
  floors: byName(
    record<Floor>({ minimum_approvers: u32, maximum_seconds: u64, allow: no, break_glass: no, override_denied: no, oidc: no }),
  ),
  attestation_keys: byName(list(p256)),
  issuers: list(tagged({ ssh: record<{ public_key: string }>({ public_key: text }) })),
  attestation_roots: list(record<AttestationRoot>({ certificate, aaguids: models })),
});

/** A `trust.json` that is in order. */
export interface TrustRoot {
  document: TrustDocument;
  /** SHA-256 of its bytes. */
  sha256: string;
  site: RelyingParty;
  logKeys: VerifierKey[];
  witnessPolicy: WitnessPolicy;
  /** Name of the current life of the log. */
  logOrigin: string;
}

/** Reads the files of a trust directory; `trust.json` alone will do, since all others only repeat it. Throws. */
export async function readTrust(files: ReadonlyMap<string, Uint8Array>): Promise<TrustRoot> {
  const bytes = files.get(TRUST) ?? refuse(`\`${TRUST}\` is missing from the trust directory`);
  const root = await parseTrust(bytes);
  if (files.size === 1) return root;
  const derived = derivedFiles(root);
  for (const [path, expected] of derived) {
    const found = files.get(path) ?? refuse(`\`${path}\` is missing from the trust directory: fetch the whole of it again`);
    if (!equal(found, utf8(expected))) refuse(`\`${path}\` disagrees with trust.json: fetch the whole directory again`);
  }
  for (const path of files.keys()) {
    if (path !== TRUST && path !== SIGNATURES && !derived.has(path)) refuse(`\`${path}\` does not belong into a trust directory: remove it`);
  }
  const signatures = files.get(SIGNATURES);
  if (signatures !== undefined) personSignatures(parseStrict(signatures));
  return root;
}

/** Reads `trust.json`. Throws. */
export async function parseTrust(bytes: Uint8Array): Promise<TrustRoot> {
  if (bytes.length > MAX_TRUST_BYTES) refuse(`trust.json is larger than ${MAX_TRUST_BYTES} bytes`);
  const document = trustDocument(parseStrict(bytes));
  checkDocument(document);
  const site = { id: document.rp_id, origins: document.origins };
  checkSite(site);
  const { logKeys, witnessPolicy } = await readLogs(document);
  return { document, sha256: await sha256Hex(bytes), site, logKeys, witnessPolicy, logOrigin: document.logs.at(-1)?.origin ?? '' };
}

function checkDocument(document: TrustDocument): void {
  const rules: [string, boolean][] = [
    ['`version` starts at 1', document.version > 0],
    ['`expires_at` is not after `created_at`', document.created_at < document.expires_at],
    ['`directories` is not supported by this version', document.directories.length === 0],
    ['`policy` needs at least one owner', document.policy.owners_needed > 0],
    ['`engines` is empty: no verdict could be believed', document.engines.length > 0],
    ['`floors` has one that means nothing', [...document.floors.values()].every(meansSomething)],
    ['`attestation_roots` has a certificate without models, or for the one of zeros', document.attestation_roots.every(namesModels)],
  ];
  for (const [problem, holds] of rules) if (!holds) refuse(`trust.json is not in order: ${problem}`);
  checkGenesis(document);
  checkRecovery(document);
  for (const [name, keys] of document.attestation_keys) {
    const distinct = new Set(keys.map((key) => toBase64(key.spki)));
    const known = PREDICATES.some((predicate) => predicate === name);
    if (!known || keys.length === 0 || distinct.size !== keys.length) refuse(`trust.json is not in order: \`attestation_keys\` of \`${name}\``);
  }
  for (const { public_key } of document.issuers) parseSshKey(public_key);
}

function meansSomething(floor: Floor): boolean {
  return floor.maximum_seconds > 0 && (floor.minimum_approvers > 0 || floor.allow);
}

function namesModels({ aaguids }: AttestationRoot): boolean {
  return aaguids.size > 0 && !aaguids.has('00000000-0000-0000-0000-000000000000');
}

function checkGenesis(document: TrustDocument): void {
  const { persons } = document.genesis;
  const credentials = persons.flatMap((person) => person.passkeys.map((key) => toBase64(key.credential_id)));
  const distinct = new Set(persons.map((person) => person.id)).size === persons.length && new Set(credentials).size === credentials.length;
  if (!distinct || persons.some((person) => person.passkeys.length === 0)) refuse('trust.json is not in order: `genesis` names somebody twice, or without a passkey');
  for (const person of persons) for (const key of person.passkeys) parseCose(key.public_key);
  const administrators = persons.filter((person) => person.roles.has(IDENTITY_ADMIN)).length;
  const needed = document.administrators_needed;
  if (administrators === 0) refuse(`trust.json is not in order: \`genesis\` names nobody with the role \`${IDENTITY_ADMIN}\``);
  if (document.sealed_with === 0 || needed !== Math.min(document.sealed_with, 2)) refuse('trust.json is not in order: `administrators_needed`');
  // A later version may have gained its second administrator through the log.
  if (administrators < needed && document.version === 1) refuse('trust.json is not in order: `genesis` names too few administrators');
}

function checkRecovery(document: TrustDocument): void {
  const { threshold, keys } = document.recovery;
  const distinct = new Set(keys.map((key) => toBase64(key))).size === keys.length;
  const enough = threshold <= keys.length && (threshold >= document.administrators_needed || keys.length === 0);
  if (!distinct || keys.length > MAX_RECOVERY_KEYS || !enough) refuse('trust.json is not in order: `recovery`');
}

async function readLogs(document: TrustDocument): Promise<{ logKeys: VerifierKey[]; witnessPolicy: WitnessPolicy }> {
  const logKeys: VerifierKey[] = [];
  for (const log of document.logs) {
    const key = await parseVerifierKey(log.vkey);
    const again = logKeys.some((known) => known.name === key.name);
    if (key.type !== ED25519 || key.name !== log.origin || keyText(key) !== log.vkey || again) refuse(`trust.json is not in order: \`logs\` of \`${log.origin}\``);
    logKeys.push(key);
  }
  if (logKeys.length === 0) refuse('trust.json is not in order: `logs` is empty');
  const witnessPolicy = await parsePolicy(document.witness_policy);
  if (policyText(witnessPolicy) !== document.witness_policy) refuse('trust.json is not in order: `witness_policy` is not in its plain form');
  const named = witnessPolicy.logs.map((log) => keyText(log.key)).join('\n');
  if (named !== logKeys.map(keyText).join('\n')) refuse('trust.json is not in order: `witness_policy` names other logs than `logs`');
  return { logKeys, witnessPolicy };
}

function isHost(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(name);
}

function checkSite({ id: rpId, origins }: RelyingParty): void {
  if (!isHost(rpId)) refuse(`trust.json is not in order: \`rp_id\` \`${rpId}\` is not a host name in lower case`);
  if (origins.length < 1 || origins.length > 32) refuse('trust.json is not in order: it needs 1 to 32 web origins');
  for (const one of origins) if (!isOriginOf(one, rpId)) refuse(`trust.json is not in order: origin \`${one}\` cannot use passkeys of \`${rpId}\``);
}

function isOriginOf(one: string, rpId: string): boolean {
  const [, scheme, host, port] = /^(https?):\/\/([^:]*)(?::(.*))?$/.exec(one) ?? [];
  if (scheme === undefined || host === undefined || !isHost(host)) return false;
  const plainPort = port === undefined || (/^(?:0|[1-9][0-9]{0,4})$/.test(port) && Number(port) <= 0xffff);
  const secure = scheme === 'https' || host === 'localhost' || host.endsWith('.localhost');
  return plainPort && secure && (host === rpId || host.endsWith(`.${rpId}`));
}

/** Every file beside `trust.json`, exactly as it follows from it. */
function derivedFiles(root: TrustRoot): Map<string, string> {
  const files = new Map([
    ['log.vkey', root.logKeys.map((key) => `${keyText(key)}\n`).join('')],
    ['policy.txt', policyText(root.witnessPolicy)],
    ['trusted_root.json', trustedRoot(root.logKeys)],
  ]);
  for (const [predicate, keys] of root.document.attestation_keys) {
    for (const [place, key] of keys.entries()) files.set(`keys/${predicate}${place === 0 ? '' : `-${place + 1}`}.pem`, key.toPem());
  }
  return files;
}

/** `trusted_root.json` v0.1 of Sigstore. */
function trustedRoot(keys: VerifierKey[]): string {
  return canonicalize({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: keys.map((key) => ({
      baseUrl: `https://${key.name}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: toBase64(ed25519Spki(key.publicKey)),
        keyDetails: 'PKIX_ED25519',
        validFor: { start: '1970-01-01T00:00:00Z' },
      },
      logId: { keyId: toBase64(key.hash) },
    })),
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  });
}
