/**
 * Acts on people, keys and roles: reads the identity document exactly as it is signed, and holds it against what was
 * asked for. Whatever differs, or could not be shown, leaves nothing to sign.
 */
import type { Schema } from '../../client/client';
import { fingerprintOf } from '../../ui/format';
import type { Json, JsonObject } from '../../verify/canonical';
import { fromBase64Url, hex, isDigest, sha256Hex, type Bytes } from '../../verify/digest';
import { reveal, type Disclosed } from '../documents/disclosures';
import { Findings } from '../documents/findings';
import { examineOffer, readDocument, type SignedDocument } from '../documents/read';
import { list, object, text } from '../documents/shape';

/** A key as the document names it. */
export interface ActKey {
  credentialId: string;
  /** COSE_Key, base64url. */
  publicKey: string;
  /** First digits of its SHA-256, in groups; the page where it was made shows the same. */
  fingerprint: string;
  /** UUID of the authenticator's model; absent when it does not say. */
  model: string | undefined;
  /** Whether its maker said which model it is, and was believed. */
  attested: boolean;
  synced: boolean;
}

/** What an act says. */
export type Act =
  | { kind: 'person.created'; person: string; roles: string[]; attributes: [string, string][]; key: ActKey }
  | { kind: 'passkey.enrolled' | 'person.recovered'; person: string; key: ActKey }
  | { kind: 'passkey.removed' | 'recovery.cancelled'; person: string; credentialId: string }
  | { kind: 'role.granted' | 'role.removed'; person: string; role: string }
  | { kind: 'attribute.assigned'; person: string; name: string; value: string }
  | { kind: 'person.suspended' | 'person.reinstated'; person: string };

export type ActKind = Act['kind'];

/** What somebody here asked to be offered. */
export interface Wish {
  act: ActKind;
  /** As the server is asked; where a key waits, the name of its enrolment and nothing else. */
  body: Readonly<Record<string, string>>;
  /** The key that waits, and whose it is; as far as it is known here. */
  key?: { person: string; credentialId: string; publicKey?: string };
}

/** An act that can be shown. */
export interface ReadAct {
  act: Act;
  document: SignedDocument;
  disclosed: Disclosed;
  expiresAt: string;
  /** Raw ids of the passkeys that may sign; absent when the server offers it to nobody here. */
  allowed: readonly string[] | undefined;
}

type Offered = Pick<Schema<'IdentityOptions'>, 'document' | 'document_sha256' | 'disclosures'> & { public_key?: Schema<'RequestOptions'> | null };

interface Here {
  server: Pick<Schema<'ServerInformation'>, 'log_origin' | 'rp_id'>;
  /** Milliseconds since 1970. */
  now: number;
}

const LONGEST_SECONDS = 24 * 3600;
const MEMBERS = ['type', 'log_origin', 'act', 'body', 'nonce', 'issued_at', 'expires_at'];

/**
 * Reads an offer. `wish` is what was asked for here; without one it was asked for elsewhere, and is only shown.
 *
 * @throws Different
 */
export async function examineAct(offer: Offered, wish: Wish | undefined, { server, now }: Here): Promise<ReadAct> {
  const findings = new Findings();
  const read = await findings.collect('identity document', async () => {
    const document = await readDocument('identity', offer.document);
    const { content } = document;
    findings.members('identity document', content, MEMBERS);
    findings.same('document digest', document.sha256, offer.document_sha256);
    findings.same('log', content.log_origin, server.log_origin);
    const act = await readAct(findings, text('act', content.act), object('body', content.body));
    if (wish) compareWish(findings, wish, act, content);
    if (offer.public_key) {
      examineOffer(findings, document, { options: offer.public_key, server, longestSeconds: LONGEST_SECONDS, now });
      findings.holds('passkeys', offer.public_key.allowCredentials.length > 0, 'none is named that may sign');
    }
    const disclosed = await reveal(findings, digestsOf(content), offer.disclosures);
    const allowed = offer.public_key?.allowCredentials.map(({ id }) => id);
    return { act, document, disclosed, expiresAt: text('expires_at', content.expires_at), allowed };
  });
  return findings.settle(read);
}

/** Everything that was asked for, and nothing else. */
function compareWish(findings: Findings, wish: Wish, act: Act, content: JsonObject): void {
  findings.same('act', act.kind, wish.act);
  if (!wish.key) {
    findings.same('body', content.body, wish.body);
    return;
  }
  findings.same('person', act.person, wish.key.person);
  findings.holds('passkey', 'key' in act, 'the act is about no key');
  if (!('key' in act)) return;
  findings.same('passkey, id', act.key.credentialId, wish.key.credentialId);
  if (wish.key.publicKey !== undefined) findings.same('passkey, public key', act.key.publicKey, wish.key.publicKey);
}

function digestsOf(content: JsonObject): string[] {
  const body = object('body', content.body);
  return '_sd' in body ? list('_sd', body._sd, text) : [];
}

type Reader = (findings: Findings, body: JsonObject) => Act | Promise<Act>;

const withKey =
  (kind: 'passkey.enrolled' | 'person.recovered'): Reader =>
  async (findings, body) => {
    findings.members('body', body, ['person', 'passkey']);
    return { kind, person: person(body), key: await readKey(findings, body.passkey) };
  };

const withCredential =
  (kind: 'passkey.removed' | 'recovery.cancelled'): Reader =>
  (findings, body) => {
    findings.members('body', body, ['person', 'credential_id']);
    const credentialId = text('credential id', body.credential_id);
    bytes('credential id', credentialId);
    return { kind, person: person(body), credentialId };
  };

const withRole =
  (kind: 'role.granted' | 'role.removed'): Reader =>
  (findings, body) => {
    findings.members('body', body, ['person', 'role']);
    return { kind, person: person(body), role: text('role', body.role) };
  };

const aboutStanding =
  (kind: 'person.suspended' | 'person.reinstated'): Reader =>
  (findings, body) => {
    findings.members('body', body, ['person']);
    return { kind, person: person(body) };
  };

const READERS: Record<ActKind, Reader> = {
  'person.created': async (findings, body) => {
    findings.members('body', body, ['person', 'passkey', 'roles', 'attributes', '_sd']);
    const attributes = object('attributes', body.attributes);
    return {
      kind: 'person.created',
      person: person(body),
      roles: list('roles', body.roles, text),
      attributes: Object.entries(attributes).map(([name, value]) => [name, text(`attribute ${name}`, value)]),
      key: await readKey(findings, body.passkey),
    };
  },
  'passkey.enrolled': withKey('passkey.enrolled'),
  'person.recovered': withKey('person.recovered'),
  'passkey.removed': withCredential('passkey.removed'),
  'recovery.cancelled': withCredential('recovery.cancelled'),
  'role.granted': withRole('role.granted'),
  'role.removed': withRole('role.removed'),
  'attribute.assigned': (findings, body) => {
    findings.members('body', body, ['person', 'name', 'value']);
    return { kind: 'attribute.assigned', person: person(body), name: text('name', body.name), value: text('value', body.value) };
  },
  'person.suspended': aboutStanding('person.suspended'),
  'person.reinstated': aboutStanding('person.reinstated'),
};

async function readAct(findings: Findings, kind: string, body: JsonObject): Promise<Act> {
  const known = Object.hasOwn(READERS, kind);
  if (!known) throw new Error(`the act ${kind} is not known here`);
  return READERS[kind as ActKind](findings, body);
}

function person(body: JsonObject): string {
  const id = text('person', body.person);
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)) throw new Error('person is no id');
  return id;
}

function bytes(what: string, encoded: string): Bytes {
  const read = fromBase64Url(encoded);
  if (!read || read.length === 0) throw new Error(`${what} is not strict base64url`);
  return read;
}

const MODEL_BYTES = 16;

async function readKey(findings: Findings, value: Json | undefined): Promise<ActKey> {
  const key = findings.members('passkey', value, ['credential_id', 'public_key', 'aaguid', 'backup_eligible'], ['attestation_sha256']);
  const credentialId = text('credential id', key.credential_id);
  bytes('credential id', credentialId);
  const publicKey = text('public key', key.public_key);
  const model = bytes('model', text('model', key.aaguid));
  if (model.length !== MODEL_BYTES) throw new Error('model is not of 16 bytes');
  if (typeof key.backup_eligible !== 'boolean') throw new Error('whether the key may be synced is not said');
  if (key.attestation_sha256 !== undefined && !isDigest(key.attestation_sha256)) throw new Error('the registration is named by no digest');
  return {
    credentialId,
    publicKey,
    fingerprint: fingerprintOf(await sha256Hex(bytes('public key', publicKey))),
    model: model.some((byte) => byte !== 0) ? uuid(model) : undefined,
    attested: key.attestation_sha256 !== undefined,
    synced: key.backup_eligible,
  };
}

function uuid(model: Bytes): string {
  return hex(model).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Whether the act brings a key that somebody else made: its fingerprint has to be compared with that person. */
export function needsComparison(act: Act, reader: string): boolean {
  return 'key' in act && act.person !== reader;
}
