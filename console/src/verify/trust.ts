/** What the verifier believes beforehand: `trust.json`, field by field. */

import { parseStrict, type Json } from './canonical';
import { challenge, fromBase64, fromBase64Url, sha256Hex, type Bytes } from './digest';
import { passkey, type Passkey } from './documents';
import { isAcceptableEd25519, p256FromBase64, type P256Key } from './keys';
import { moment } from './moment';
import { isOrigin, type VerifierKey } from './note';
import { byName, digest, flag, id, list, oneOf, optional, otherwise, record, refuse, tagged, text, textSet, u32, u64, type Shape } from './shape';
import { checkDocument, checkSite, readLogs } from './trustCheck';
import type { RelyingParty } from './webauthn';
import type { WitnessPolicy } from './witness';

const MAX_TRUST_BYTES = 1024 * 1024;
const MAX_CERTIFICATE_BYTES = 8192;

/** One life of the log. */
export interface TrustedLog {
  origin: string;
  vkey: string;
  /** Index of its first leaf in the count over all lives; absent for the first life. */
  first_index: number | undefined;
  /** Where it ended; absent for the present life. */
  closed: { size: number; root: string } | undefined;
}

/** Somebody who may sign the next version, with the keys that they do it with. */
export interface Administrator {
  id: string;
  passkeys: Passkey[];
}

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
  /** SHA-256 of the version before; absent in version 1. */
  previous_sha256: string | undefined;
  created_at: number;
  expires_at: number;
  /** The lives of the log, oldest first. */
  logs: TrustedLog[];
  witness_policy: string;
  rp_id: string;
  origins: string[];
  genesis: { persons: GenesisPerson[] };
  /** From version 2 on, who administrated when it was made; of version 1 it is the genesis persons with the role. */
  administrators: Administrator[];
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
  previous_sha256: optional(digest),
  created_at: moment,
  expires_at: moment,
  logs: list(record<TrustedLog>({ origin, vkey: text, first_index: optional(u64), closed: optional(record({ size: u64, root: digest })) })),
  witness_policy: text,
  rp_id: text,
  origins: list(text),
  genesis: record<TrustDocument['genesis']>({
    persons: list(record<GenesisPerson>({ id, roles: textSet, attributes: byName(text), passkeys: list(passkey) })),
  }),
  administrators: otherwise(list(record<Administrator>({ id, passkeys: list(passkey) })), []),
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
  /** What those sign who accept it as a successor, 32 bytes. */
  challenge: Bytes;
  site: RelyingParty;
  logKeys: VerifierKey[];
  witnessPolicy: WitnessPolicy;
  /** Name of the present life of the log, for which people sign now. */
  logOrigin: string;
}

/** Reads `trust.json`. Throws. */
export async function parseTrust(bytes: Uint8Array): Promise<TrustRoot> {
  if (bytes.length > MAX_TRUST_BYTES) refuse(`trust.json is larger than ${MAX_TRUST_BYTES} bytes`);
  const document = trustDocument(parseStrict(bytes));
  checkDocument(document);
  const site = { id: document.rp_id, origins: document.origins };
  checkSite(site);
  const { logKeys, witnessPolicy } = await readLogs(document);
  const [sha256, signed] = [await sha256Hex(bytes), await challenge('trust', bytes)];
  return { document, sha256, challenge: signed, site, logKeys, witnessPolicy, logOrigin: document.logs.at(-1)?.origin ?? '' };
}
