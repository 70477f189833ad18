/** Checking a passkey's assertion (W3C Web Authentication Level 3, section 7.2). */

import { CborReader } from './cbor';
import { isObject, parseJson } from './canonical';
import { parseCose, parseCosePrefix, type CoseKey } from './cose';
import { concat, equal, sha256, toBase64Url, utf8, type Bytes } from './digest';
import type { Assertion, Passkey } from './documents';
import { refuse } from './shape';

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const BACKUP_ELIGIBLE = 0x08;
const BACKUP_STATE = 0x10;
const ATTESTED_CREDENTIAL = 0x40;
const EXTENSIONS = 0x80;
const MAX_CREDENTIAL_ID = 255;

/** The site for which passkeys are valid. */
export interface RelyingParty {
  id: string;
  origins: string[];
}

/** What the authenticator says (section 6.1). */
export interface AuthenticatorData {
  relyingPartyHash: Uint8Array;
  present: boolean;
  verified: boolean;
  backupEligible: boolean;
  backupState: boolean;
  signCount: number;
  attested: AttestedCredential | undefined;
}

/** A new credential inside a registration (section 6.5.1). */
export interface AttestedCredential {
  aaguid: Uint8Array;
  credentialId: Uint8Array;
  publicKey: CoseKey;
}

/** Throws unless this passkey signed this challenge, on this site, with a verified human there. */
export async function checkAssertion(assertion: Assertion, passkey: Passkey, site: RelyingParty, challenge: Bytes): Promise<void> {
  if (!equal(assertion.credential_id, passkey.credential_id)) refuse('assertion names another credential');
  const signed = concat(assertion.authenticator_data, await sha256(assertion.client_data_json));
  // The signature comes first, so every later refusal is about something that the authenticator really signed.
  if (!(await parseCose(passkey.public_key).verify(signed, assertion.signature))) refuse('passkey signature does not verify');
  checkClientData(assertion.client_data_json, site, challenge);
  const data = parseAuthenticatorData(assertion.authenticator_data);
  if (data.attested !== undefined) refuse('assertion carries a new credential');
  if (!equal(data.relyingPartyHash, await sha256(utf8(site.id)))) refuse('passkey signed for another site');
  if (data.backupEligible !== passkey.backup_eligible) refuse('passkey changed whether it can be synced: enrol it again');
  checkHuman(data);
}

/** Type, challenge, origin and embedding. Unknown members are ignored, as the standard demands. */
function checkClientData(bytes: Uint8Array, site: RelyingParty, challenge: Bytes): void {
  const said = parseJson(bytes);
  if (!isObject(said)) return refuse('client data is not acceptable JSON');
  if (said.type !== 'webauthn.get') refuse('client data is of another ceremony');
  if (said.challenge !== toBase64Url(challenge)) refuse('passkey signed another challenge');
  const { origin } = said;
  if (typeof origin !== 'string' || !site.origins.includes(origin)) refuse(`passkey was used on origin \`${String(origin)}\`, which is not allowed`);
  if (said.crossOrigin !== undefined && said.crossOrigin !== false) refuse('passkey was used inside a page of another site');
  if ('topOrigin' in said) refuse('passkey was used inside an embedded page');
}

function checkHuman(data: AuthenticatorData): void {
  if (data.backupState && !data.backupEligible) refuse('authenticator contradicts itself about syncing');
  if (!data.present) refuse('no touch of the authenticator');
  if (!data.verified) refuse('authenticator did not verify who was there');
}

/** Reads authenticator data; every byte must belong to something. */
export function parseAuthenticatorData(bytes: Uint8Array): AuthenticatorData {
  if (bytes.length < 37) refuse('authenticator data is malformed');
  const flags = bytes[32] ?? 0;
  const hasCredential = (flags & ATTESTED_CREDENTIAL) !== 0;
  const { attested, rest } = hasCredential ? readAttested(bytes.subarray(37)) : { attested: undefined, rest: bytes.subarray(37) };
  if ((flags & EXTENSIONS) !== 0) checkExtensions(rest);
  else if (rest.length > 0) refuse('authenticator data is malformed');
  return {
    relyingPartyHash: bytes.subarray(0, 32),
    present: (flags & USER_PRESENT) !== 0,
    verified: (flags & USER_VERIFIED) !== 0,
    backupEligible: (flags & BACKUP_ELIGIBLE) !== 0,
    backupState: (flags & BACKUP_STATE) !== 0,
    signCount: new DataView(bytes.buffer, bytes.byteOffset).getUint32(33),
    attested,
  };
}

function readAttested(bytes: Uint8Array): { attested: AttestedCredential; rest: Uint8Array } {
  const length = (bytes[16] ?? 0) * 256 + (bytes[17] ?? 0);
  const credentialId = bytes.subarray(18, 18 + length);
  if (length === 0 || length > MAX_CREDENTIAL_ID || credentialId.length !== length) refuse('authenticator data is malformed');
  const publicKey = parseCosePrefix(bytes.subarray(18 + length));
  return { attested: { aaguid: bytes.subarray(0, 16), credentialId, publicKey }, rest: bytes.subarray(18 + length + publicKey.bytes.length) };
}

/** Exactly one CBOR map with text keys. */
function checkExtensions(bytes: Uint8Array): void {
  const reader = new CborReader(bytes);
  for (let members = reader.map(); members > 0; members -= 1) {
    reader.text();
    reader.skip();
  }
  if (!reader.atEnd) refuse('authenticator extensions are malformed');
}
