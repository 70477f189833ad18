/**
 * Certificates of authenticators' makers (RFC 5280), as far as a chain of them needs: signatures, validity, who may issue.
 * What is not understood here and critical is refused.
 */

import { equal, fromHex, hex, type Bytes } from './digest';
import { fixedLength, P256, P384, verifyEcdsa, verifyEd25519, verifyRsa } from './keys';
import { refuse } from './shape';

const INTEGER = 0x02;
const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const BOOLEAN = 0x01;
export const SEQUENCE = 0x30;
export const SET = 0x31;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';
const EXTENDED_KEY_USAGE = '551d25';
const SUBJECT_NAMES = '551d11';
const NAME_CONSTRAINTS = '551d1e';
const UNDERSTOOD = new Set([BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_NAMES]);
const MAX_DEPTH = 6;

/** What follows a key's algorithm in its `SubjectPublicKeyInfo`, for Ed25519. */
const ED25519_SPKI = fromHex('302a300506032b6570032100') ?? refuse('a constant of this file is no hexadecimal text');

/** Verifies a signature under a key. */
type Verify = (spki: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;

const ecdsa256: Verify = async (spki, message, signature) => {
  const fixed = fixedLength(signature, P256.width);
  return fixed !== undefined && verifyEcdsa(spki, P256, message, fixed);
};
const ecdsa384: Verify = async (spki, message, signature) => {
  const fixed = fixedLength(signature, P384.width);
  return fixed !== undefined && verifyEcdsa(spki, P384, message, fixed);
};
const ed25519: Verify = async (spki, message, signature) =>
  equal(spki.subarray(0, ED25519_SPKI.length), ED25519_SPKI) && verifyEd25519(spki.subarray(ED25519_SPKI.length), message, signature);
const rsa256: Verify = (spki, message, signature) => verifyRsa(spki, 'SHA-256', message, signature);
const rsa384: Verify = (spki, message, signature) => verifyRsa(spki, 'SHA-384', message, signature);

/** Algorithms of signatures in certificates, by object identifier. */
const BY_IDENTIFIER: ReadonlyMap<string, Verify> = new Map([
  ['2a8648ce3d040302', ecdsa256],
  ['2a8648ce3d040303', ecdsa384],
  ['2b6570', ed25519],
  ['2a864886f70d01010b', rsa256],
  ['2a864886f70d01010c', rsa384],
]);

/** Algorithms of statements (RFC 9053, RFC 8812). */
export const BY_COSE: ReadonlyMap<number, Verify> = new Map([
  [-7, ecdsa256],
  [-8, ed25519],
  [-35, ecdsa384],
  [-257, rsa256],
]);

/** Reads DER elements one after the other. */
export class DerReader {
  private readonly input: Uint8Array;
  private at = 0;

  constructor(input: Uint8Array) {
    this.input = input;
  }

  get done(): boolean {
    return this.at === this.input.length;
  }

  next(): { tag: number; content: Uint8Array; whole: Uint8Array } {
    const start = this.at;
    const [tag, first] = this.take(2);
    let length = first ?? 0;
    if (length >= 0x80) length = length === 0x81 || length === 0x82 ? this.take(length - 0x80).reduce((sum, byte) => sum * 256 + byte, 0) : refuse('DER is malformed');
    const content = this.take(length);
    return { tag: tag ?? 0, content, whole: this.input.subarray(start, this.at) };
  }

  of(tag: number): Uint8Array {
    const found = this.next();
    return found.tag === tag ? found.content : refuse('another DER element was expected');
  }

  nested(tag: number): DerReader {
    return new DerReader(this.of(tag));
  }

  /** Tag of the element that follows, if there is one. */
  peek(): number | undefined {
    return this.input[this.at];
  }

  private take(length: number): Uint8Array {
    const taken = this.input.subarray(this.at, this.at + length);
    if (taken.length !== length) refuse('DER ends in the middle of an element');
    this.at += length;
    return taken;
  }
}

export interface Extension {
  critical: boolean;
  value: Uint8Array;
}

export interface Certificate {
  /** What the issuer signed. */
  signed: Uint8Array;
  algorithm: string;
  signature: Uint8Array;
  issuer: Uint8Array;
  subject: Uint8Array;
  notBefore: number;
  notAfter: number;
  spki: Uint8Array;
  extensions: ReadonlyMap<string, Extension>;
}

export function parseCertificate(der: Uint8Array): Certificate {
  const whole = new DerReader(der);
  const certificate = whole.nested(SEQUENCE);
  const body = certificate.next();
  const algorithm = certificate.of(SEQUENCE);
  const bits = certificate.of(BIT_STRING);
  if (!whole.done || !certificate.done || body.tag !== SEQUENCE || bits[0] !== 0) refuse('it is no certificate');
  const fields = new DerReader(body.content);
  if (hex(fields.of(VERSION)) !== '020102') refuse('it is no certificate of version 3');
  fields.of(INTEGER);
  if (!equal(fields.of(SEQUENCE), algorithm)) refuse('it names two algorithms');
  const issuer = fields.of(SEQUENCE);
  const validity = fields.nested(SEQUENCE);
  const [notBefore, notAfter] = [readTime(validity), readTime(validity)];
  const subject = fields.of(SEQUENCE);
  const spki = fields.next();
  return {
    ...{ signed: body.whole, algorithm: hex(new DerReader(algorithm).of(OBJECT_IDENTIFIER)), signature: bits.subarray(1) },
    ...{ issuer, subject, notBefore, notAfter, spki: spki.whole, extensions: readExtensions(fields) },
  };
}

function readTime(reader: DerReader): number {
  const { tag, content } = reader.next();
  const text = String.fromCharCode(...content);
  const [, century, rest] = (tag === UTC_TIME ? /^()(\d{12})Z$/ : /^(\d{2})(\d{12})Z$/).exec(text) ?? [];
  if (rest === undefined || (tag !== UTC_TIME && tag !== GENERALIZED_TIME)) return refuse('it has a validity that is no time');
  const short = Number(rest.slice(0, 2));
  const year = tag === UTC_TIME ? String(short < 50 ? 2000 + short : 1900 + short) : `${century ?? ''}${rest.slice(0, 2)}`;
  const [month, day, hour, minute, second] = (rest.slice(2).match(/../g) ?? []).map(String);
  return Date.parse(`${year}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`) / 1000;
}

function readExtensions(fields: DerReader): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  while (!fields.done) {
    const { tag, content } = fields.next();
    if (tag !== EXTENSIONS) continue;
    const each = new DerReader(content).nested(SEQUENCE);
    while (!each.done) {
      const extension = each.nested(SEQUENCE);
      const name = hex(extension.of(OBJECT_IDENTIFIER));
      const critical = extension.peek() === BOOLEAN && hex(extension.of(BOOLEAN)) === 'ff';
      if (extensions.has(name)) refuse('an extension stands twice');
      extensions.set(name, { critical, value: extension.of(OCTET_STRING) });
    }
  }
  return extensions;
}

/** Whether it may issue certificates, and how many more may stand below those. */
function authority({ extensions }: Certificate): { below: number } | undefined {
  const constraints = extensions.get(BASIC_CONSTRAINTS);
  if (constraints === undefined) return undefined;
  const fields = new DerReader(constraints.value).nested(SEQUENCE);
  if (fields.peek() !== BOOLEAN || hex(fields.of(BOOLEAN)) !== 'ff') return undefined;
  const below = fields.done ? Infinity : fields.of(INTEGER).reduce((sum, byte) => sum * 256 + byte, 0);
  return { below };
}

/** Throws unless a chain leads from this certificate over some of the others to the root, at this moment. */
export async function checkChain(leaf: Certificate, others: readonly Certificate[], root: Certificate, at: number): Promise<void> {
  if (authority(leaf) !== undefined) refuse('the certificate is an authority');
  if (root.extensions.has(NAME_CONSTRAINTS)) refuse('its root constrains names, which is not understood here');
  if (!(await leads(leaf, others, root, at, 0))) refuse('no chain of valid certificates leads to the root');
}

async function leads(certificate: Certificate, others: readonly Certificate[], root: Certificate, at: number, depth: number): Promise<boolean> {
  if (depth > MAX_DEPTH || !isUsable(certificate, at)) return false;
  if (equal(certificate.issuer, root.subject) && (await isIssuedBy(certificate, root.spki))) return true;
  for (const issuer of others) {
    const may = authority(issuer);
    if (may === undefined || may.below < depth || !equal(certificate.issuer, issuer.subject)) continue;
    if ((await isIssuedBy(certificate, issuer.spki)) && (await leads(issuer, others, root, at, depth + 1))) return true;
  }
  return false;
}

function isUsable({ notBefore, notAfter, extensions }: Certificate, at: number): boolean {
  const understood = [...extensions].every(([name, { critical }]) => !critical || UNDERSTOOD.has(name));
  // Attestation certificates name no extended usage; one that does is not for this.
  return at >= notBefore && at <= notAfter && understood && !extensions.has(EXTENDED_KEY_USAGE) && !extensions.has(NAME_CONSTRAINTS);
}

async function isIssuedBy({ algorithm, signed, signature }: Certificate, spki: Uint8Array): Promise<boolean> {
  return (await BY_IDENTIFIER.get(algorithm)?.(spki, signed, signature)) === true;
}

/** The value of an attribute of a name, if it has one. */
export function attributeOf(name: Uint8Array, identifier: string): Bytes | undefined {
  const sets = new DerReader(name);
  while (!sets.done) {
    const pair = sets.nested(SET).nested(SEQUENCE);
    if (hex(pair.of(OBJECT_IDENTIFIER)) === identifier) return new Uint8Array(pair.next().content);
  }
  return undefined;
}
