/** What the tests of the trust root share: administrators with passkeys, versions of a root, and folders of them. */
import { canonicalize } from '../../src/verify/canonical';
import { challenge, concat, fromHex, sha256, sha256Hex, toBase64Url, utf8, type Bytes } from '../../src/verify/digest';
import { keyText, parseNote, type Note, type VerifierKey } from '../../src/verify/note';

export const SITE = { id: 'chancery.test', origin: 'https://chancery.test' };

interface PasskeyJson {
  credential_id: string;
  public_key: string;
  aaguid: string;
  backup_eligible: boolean;
}

/** `trust.json`, as far as these tests change it. */
export interface RootJson {
  version: number;
  previous_sha256?: string;
  created_at: string;
  expires_at: string;
  logs: { origin: string; vkey: string; first_index?: number; closed?: { size: number; root: string } }[];
  witness_policy: string;
  rp_id: string;
  origins: string[];
  genesis: { persons: { id: string; roles: string[]; attributes: Record<string, string>; passkeys: PasskeyJson[] }[] };
  administrators?: { id: string; passkeys: PasskeyJson[] }[];
  administrators_needed: number;
  policy: { genesis_sha256: string; owners_needed: number };
  engines: string[];
  floors: Record<string, { minimum_approvers: number; maximum_seconds: number }>;
  [other: string]: unknown;
}

/** Somebody with one passkey. */
export class Somebody {
  readonly id: string;
  readonly passkey: PasskeyJson;
  private readonly key: CryptoKey;

  private constructor(id: string, passkey: PasskeyJson, key: CryptoKey) {
    this.id = id;
    this.passkey = passkey;
    this.key = key;
  }

  static async make(number: number): Promise<Somebody> {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const cose = concat(fromHex('a5010203262001215820') ?? new Uint8Array(), point.subarray(1, 33), fromHex('225820') ?? new Uint8Array(), point.subarray(33));
    const passkey = { credential_id: toBase64Url(await sha256(cose)), public_key: toBase64Url(cose), aaguid: toBase64Url(new Uint8Array(16)), backup_eligible: false };
    return new Somebody(String(number).padStart(26, '0'), passkey, pair.privateKey);
  }

  /** Signs a challenge, on this origin and with these flags. */
  async sign(signed: Bytes, { origin, flags }: { origin: string; flags: number } = { origin: SITE.origin, flags: 0x05 }): Promise<object> {
    const authenticator = concat(await sha256(utf8(SITE.id)), Uint8Array.of(flags, 0, 0, 0, 0));
    const client = utf8(JSON.stringify({ type: 'webauthn.get', challenge: toBase64Url(signed), origin, crossOrigin: false }));
    const message = concat(authenticator, await sha256(client));
    const fixed = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.key, message));
    const assertion = {
      credential_id: this.passkey.credential_id,
      authenticator_data: toBase64Url(authenticator),
      client_data_json: toBase64Url(client),
      signature: toBase64Url(der(fixed)),
    };
    return { person: this.id, assertion };
  }
}

/** An ECDSA signature of two numbers of 32 bytes, as authenticators write it. */
function der(fixed: Uint8Array): Bytes {
  const number = (digits: Uint8Array): Bytes => {
    const first = digits.findIndex((byte) => byte !== 0);
    const short = digits.subarray(first);
    const positive = (short[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), short) : short;
    return concat(Uint8Array.of(0x02, positive.length), positive);
  };
  const both = concat(number(fixed.subarray(0, 32)), number(fixed.subarray(32)));
  return concat(Uint8Array.of(0x30, both.length), both);
}

/** A life of the log, which can sign. */
export class Life {
  readonly key: VerifierKey;
  private readonly secret: CryptoKey;

  private constructor(key: VerifierKey, secret: CryptoKey) {
    this.key = key;
    this.secret = secret;
  }

  static async make(name: string): Promise<Life> {
    const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign'])) as CryptoKeyPair;
    const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const hash = await sha256(concat(utf8(`${name}\n`), Uint8Array.of(1), publicKey));
    return new Life({ name, type: 1, publicKey, hash }, pair.privateKey);
  }

  get vkey(): string {
    return keyText(this.key);
  }

  /** The checkpoint of so many leaves and this root. */
  async checkpoint(size: number, root: Bytes): Promise<{ bytes: Bytes; note: Note }> {
    const text = `${this.key.name}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
    const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', this.secret, utf8(text)));
    const line = Buffer.from(concat(this.key.hash.subarray(0, 4), signature)).toString('base64');
    const bytes = utf8(`${text}\n\u2014 ${this.key.name} ${line}\n`);
    return { bytes, note: parseNote(bytes) };
  }
}

/** Version 1 of these people and lives of a log; the people administrate. */
export function firstVersion(people: readonly Somebody[], life: Life): RootJson {
  return {
    type: 'urn:chancery:trust:v1',
    version: 1,
    created_at: '2026-11-22T12:00:00Z',
    expires_at: '2028-11-22T12:00:00Z',
    logs: [{ origin: life.key.name, vkey: life.vkey }],
    witness_policy: `log ${life.vkey}\nquorum none\n`,
    rp_id: SITE.id,
    origins: [SITE.origin],
    genesis: { persons: people.map(({ id, passkey }) => ({ id, roles: ['identity_admin'], attributes: {}, passkeys: [passkey] })) },
    sealed_with: 2,
    administrators_needed: 2,
    recovery: { threshold: 0, keys: [] },
    directories: [],
    policy: { genesis_sha256: '0'.repeat(64), owners_needed: 1 },
    engines: ['regorus 0.14.1'],
    floors: { 'prod-database': { minimum_approvers: 1, maximum_seconds: 900 } },
    attestation_keys: {},
    issuers: [],
    attestation_roots: [],
  };
}

/** What follows a version, listing these administrators, with whatever change. */
export async function following(before: RootJson, people: readonly Somebody[], change: (root: RootJson) => void = () => undefined): Promise<RootJson> {
  const next = structuredClone(before);
  next.version += 1;
  next.previous_sha256 = await sha256Hex(canonicalize(before));
  next.administrators = people.map(({ id, passkey }) => ({ id, passkeys: [passkey] }));
  change(next);
  return next;
}

/** A version and who signed it. */
export interface Signed {
  root: RootJson;
  signatures: object[];
}

/** A version, signed by these people. */
export async function signed(root: RootJson, ...people: Somebody[]): Promise<Signed> {
  const bytes = await challenge('trust', canonicalize(root));
  return { root, signatures: await Promise.all(people.map((one) => one.sign(bytes))) };
}

/** The files of a trust directory that are its own: the newest version, and those before it. */
export function folder(newest: Signed, ...earlier: Signed[]): Map<string, Bytes> {
  const history = earlier.map(({ root, signatures }) => ({ trust: canonicalize(root), signatures }));
  return new Map([
    ['trust.json', utf8(canonicalize(newest.root))],
    ['signatures.json', utf8(canonicalize(newest.signatures))],
    ['history.json', utf8(canonicalize(history))],
  ]);
}
