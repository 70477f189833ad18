/** Which authenticators made the passkeys that signed (W3C Web Authentication Level 3, sections 6.5.3 and 8.2). */

import { CborReader } from './cbor';
import type { Files } from './container';
import { concat, equal, hex, sha256, sha256Hex, type Bytes } from './digest';
import { credentialOf } from './directory';
import type { Verified } from './decisions';
import { decode, isHardware, type Passkey } from './documents';
import { passkeyOf } from './events';
import type { Versions } from './inForce';
import { REGISTRATION_PREFIX, registrationPath } from './layout';
import type { Streams } from './log';
import { bytes, reason, record, refuse } from './shape';
import type { AttestationRoot } from './trust';
import { parseAuthenticatorData } from './webauthn';
import { attributeOf, BY_COSE, checkChain, DerReader, OCTET_STRING, parseCertificate, type Certificate } from './x509';

const COUNTRY = '550406';
const ORGANISATION = '55040a';
const ORGANISATIONAL_UNIT = '55040b';
const COMMON_NAME = '550403';
/** The extension with the model (section 8.2.1). */
const MODEL = '2b0601040182e51c010104';
const UNIT = 'Authenticator Attestation';
const MAX_CERTIFICATES = 4;

/** A passkey that was enrolled with a registration beside it: which, where and when. */
interface Enrolled {
  index: number;
  at: number;
  passkey: Passkey;
  registration: string;
}

function enrolledIn(streams: Streams): Enrolled[] {
  return streams.identity.flatMap(({ index, at, event }) => {
    const passkey = passkeyOf(event);
    const registration = passkey?.attestation_sha256;
    return passkey === undefined || registration === undefined ? [] : [{ index, at, passkey, registration }];
  });
}

/** Exactly the registrations that identity events name: what else lies there could be taken for checked. */
export async function registrationProblems(files: Files, streams: Streams): Promise<string[]> {
  const named = new Map(enrolledIn(streams).map((one) => [registrationPath(one.registration), one]));
  const loose = [...files.keys()].filter((path) => path.startsWith(REGISTRATION_PREFIX) && !named.has(path));
  const problems = loose.map((path) => `\`${path}\` is the registration of no passkey in this bundle`);
  for (const [path, { index, registration }] of named) {
    const found = files.get(path);
    if (found === undefined) problems.push(`leaf ${index}: the registration of its passkey, \`${path}\`, is missing`);
    else if ((await sha256Hex(found)) !== registration) problems.push(`\`${path}\` is not the registration that leaf ${index} names`);
  }
  return problems;
}

/** Of every decision that a hardware key is said to have signed: whether its maker and model are believed. */
export async function signerProblems(files: Files, versions: Versions, streams: Streams, verified: readonly Verified[]): Promise<string[]> {
  const problems: string[] = [];
  const enrolled = enrolledIn(streams).filter(({ passkey }) => isHardware(passkey));
  for (const { place: { recorded } } of verified) {
    const credential = credentialOf(recorded.event.assertion);
    const believed = versions.at(recorded.index, recorded.at).document.attestation_roots;
    for (const one of enrolled.filter(({ passkey }) => credentialOf(passkey) === credential)) {
      try {
        await checkBelieved(files, believed, one);
      } catch (error) {
        problems.push(`leaf ${recorded.index}: its passkey (leaf ${one.index}): ${reason(error)}`);
      }
    }
  }
  return problems;
}

const response = record<{ attestation_object: Bytes; client_data_json: Bytes }>({ attestation_object: bytes(16384), client_data_json: bytes(2048) });

async function checkBelieved(files: Files, roots: AttestationRoot[], { at, passkey, registration }: Enrolled): Promise<void> {
  const { attestation_object, client_data_json } = decode(response, files.get(registrationPath(registration)) ?? refuse('its registration is missing'));
  const object = readObject(attestation_object);
  if (object.format !== 'packed') refuse(`attestation of format \`${object.format}\` names no maker`);
  const statement = readStatement(object.statement);
  const [leaf, ...others] = statement.certificates.map(parseCertificate);
  if (leaf === undefined) return refuse('attestation of format `packed, self attestation` names no maker');
  const data = parseAuthenticatorData(object.authenticatorData);
  const credential = data.attested ?? refuse('registration carries no credential');
  const verify = BY_COSE.get(statement.algorithm) ?? refuse(`attestation is signed with algorithm ${statement.algorithm}, which is not supported`);
  const signed = concat(object.authenticatorData, await sha256(client_data_json));
  if (!(await verify(leaf.spki, signed, statement.signature))) refuse('attestation signature does not verify');
  checkLeaf(leaf, credential.aaguid);
  await checkRoots(leaf, others, roots, credential.aaguid, at);
  const same =
    equal(credential.credentialId, passkey.credential_id) &&
    equal(credential.publicKey.bytes, passkey.public_key) &&
    equal(credential.aaguid, passkey.aaguid) &&
    data.backupEligible === passkey.backup_eligible;
  if (!same) refuse('its registration is of another passkey');
}

interface AttestationObject {
  format: string;
  statement: Uint8Array;
  authenticatorData: Uint8Array;
}

function readObject(input: Uint8Array): AttestationObject {
  const reader = new CborReader(input);
  const found: Partial<AttestationObject> = {};
  if (reader.map() !== 3) refuse('attestation object is malformed');
  for (let member = 0; member < 3; member += 1) {
    const name = reader.text();
    if (name === 'fmt') found.format = reader.text();
    else if (name === 'authData') found.authenticatorData = reader.bytes();
    else if (name === 'attStmt') {
      const from = reader.position;
      reader.skip();
      found.statement = input.subarray(from, reader.position);
    } else refuse('attestation object is malformed');
  }
  const { format, statement, authenticatorData } = found;
  if (!reader.atEnd || format === undefined || statement === undefined || authenticatorData === undefined) return refuse('attestation object is malformed');
  return { format, statement, authenticatorData };
}

interface Statement {
  algorithm: number;
  signature: Uint8Array;
  certificates: Uint8Array[];
}

function readStatement(input: Uint8Array): Statement {
  const reader = new CborReader(input);
  const found: Partial<Statement> = {};
  const members = reader.map();
  if (members < 2 || members > 3) refuse('attestation statement is malformed');
  for (let member = 0; member < members; member += 1) {
    const name = reader.text();
    if (name === 'alg' && found.algorithm === undefined) found.algorithm = reader.integer();
    else if (name === 'sig' && found.signature === undefined) found.signature = reader.bytes();
    else if (name === 'x5c' && found.certificates === undefined) found.certificates = readCertificates(reader);
    else refuse('attestation statement is malformed');
  }
  const { algorithm, signature, certificates = [] } = found;
  if (!reader.atEnd || algorithm === undefined || signature === undefined) return refuse('attestation statement is malformed');
  return { algorithm, signature, certificates };
}

function readCertificates(reader: CborReader): Uint8Array[] {
  const count = reader.array();
  if (count < 1 || count > MAX_CERTIFICATES) refuse('attestation statement is malformed');
  return Array.from({ length: count }, () => reader.bytes());
}

/** What a certificate must say to be one for attestation (section 8.2.1). */
function checkLeaf({ subject, extensions }: Certificate, aaguid: Uint8Array): void {
  const named = [COUNTRY, ORGANISATION, COMMON_NAME].every((kind) => (attributeOf(subject, kind)?.length ?? 0) > 0);
  const unit = attributeOf(subject, ORGANISATIONAL_UNIT);
  if (!named || unit === undefined || String.fromCharCode(...unit) !== UNIT) refuse('attestation certificate is not one of an authenticator');
  const model = extensions.get(MODEL);
  if (model === undefined) return;
  if (model.critical) refuse('attestation certificate is not one of an authenticator');
  if (!equal(new DerReader(model.value).of(OCTET_STRING), aaguid)) refuse('attestation certificate is for another model than the authenticator says');
}

async function checkRoots(leaf: Certificate, others: Certificate[], roots: AttestationRoot[], aaguid: Uint8Array, at: number): Promise<void> {
  const model = hex(aaguid).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const believed = roots.filter(({ aaguids }) => aaguids.has(model));
  let last = `model ${model} is not on the list of believed authenticators`;
  for (const { certificate } of believed) {
    try {
      return await checkChain(leaf, others, parseCertificate(certificate), at);
    } catch (error) {
      last = `no root of the believed authenticators stands behind model ${model}: ${reason(error)}`;
    }
  }
  refuse(last);
}
