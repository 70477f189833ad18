/** Signatures by WebCrypto. Whatever cannot be checked here (an old browser, a broken key) has not signed. */

import { concat, equal, fromBase64, fromHex, sha256Hex, toBase64, type Bytes } from './digest';
import { refuse } from './shape';

const bytesOf = (text: string): Bytes => fromHex(text) ?? refuse('a constant of this file is no hexadecimal text');

/** What stands before the point in the DER of every P-256 key (RFC 5480). */
const P256_PREFIX = bytesOf('3059301306072a8648ce3d020106082a8648ce3d030107034200');
/** What stands before the key in the DER of every Ed25519 key (RFC 8410). */
const ED25519_PREFIX = bytesOf('302a300506032b6570032100');

/** y of the points of small order, without sign: under such a key one signature verifies for many messages. */
const SMALL_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(bytesOf);

/** Whether an Ed25519 key is canonically encoded and not of small order (RFC 8032, section 5.1). */
export function isAcceptableEd25519(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const y = new Uint8Array(key);
  y[31] = (y[31] ?? 0) & 0x7f;
  const belowPrime = !(y[31] === 0x7f && y.subarray(1, 31).every((byte) => byte === 0xff) && (y[0] ?? 0) >= 0xed);
  return belowPrime && !SMALL_ORDER.some((point) => equal(point, y));
}

/** Whether WebCrypto here knows Ed25519 at all; without it, no such signature counts. */
export async function knowsEd25519(): Promise<boolean> {
  // The key of RFC 8032, section 7.1, test 1.
  const key = bytesOf('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  return importKey(concat(ED25519_PREFIX, key), { name: 'Ed25519' }).then(() => true, () => false);
}

export async function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return key.length === 32 && signature.length === 64 && verifyWith(concat(ED25519_PREFIX, key), { name: 'Ed25519' }, message, signature);
}

/** ECDSA with the curve's own hash; the signature as the two numbers of fixed length. */
export async function verifyEcdsa(spki: Uint8Array, curve: Curve, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return verifyWith(spki, { name: 'ECDSA', namedCurve: curve.name, hash: curve.hash }, message, signature);
}

export type RsaHash = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** RSA PKCS#1 v1.5. */
export async function verifyRsa(spki: Uint8Array, hash: RsaHash, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return verifyWith(spki, { name: 'RSASSA-PKCS1-v1_5', hash }, message, signature);
}

interface Algorithm {
  name: string;
  namedCurve?: string;
  hash?: string;
}

async function verifyWith(spki: Uint8Array, algorithm: Algorithm, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  try {
    const key = await importKey(spki, algorithm);
    return await crypto.subtle.verify(algorithm, key, new Uint8Array(signature), new Uint8Array(message));
  } catch {
    return false;
  }
}

async function importKey(spki: Uint8Array, algorithm: Algorithm): Promise<CryptoKey> {
  return crypto.subtle.importKey('spki', new Uint8Array(spki), algorithm as EcKeyImportParams, false, ['verify']);
}

/** A curve with the hash that goes with it. */
export interface Curve {
  name: 'P-256' | 'P-384';
  hash: 'SHA-256' | 'SHA-384';
  width: number;
}

export const P256: Curve = { name: 'P-256', hash: 'SHA-256', width: 32 };
export const P384: Curve = { name: 'P-384', hash: 'SHA-384', width: 48 };

/** A P-256 key, by its `SubjectPublicKeyInfo`. */
export class P256Key {
  readonly spki: Bytes;

  private constructor(spki: Bytes) {
    this.spki = spki;
  }

  /** From an uncompressed point: 0x04, x, y. */
  static ofPoint(point: Uint8Array): P256Key | undefined {
    return point.length === 65 && point[0] === 4 ? new P256Key(concat(P256_PREFIX, point)) : undefined;
  }

  static ofSpki(der: Uint8Array): P256Key | undefined {
    const prefixed = equal(der.subarray(0, P256_PREFIX.length), P256_PREFIX);
    return prefixed ? P256Key.ofPoint(der.subarray(P256_PREFIX.length)) : undefined;
  }

  /** Its name in envelopes and bundles: SHA-256 of the `SubjectPublicKeyInfo`. */
  async digest(): Promise<string> {
    return sha256Hex(this.spki);
  }

  /** Verifies an ASN.1 DER signature over the message. */
  async verify(message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const fixed = fixedLength(signature, P256.width);
    return fixed !== undefined && verifyEcdsa(this.spki, P256, message, fixed);
  }

  toPem(): string {
    return toPem(this.spki);
  }
}

/** The PEM form of a `SubjectPublicKeyInfo`, with lines of 64 characters and a final newline. */
function toPem(spki: Uint8Array): string {
  const lines = toBase64(spki).match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
}

/** An Ed25519 key's `SubjectPublicKeyInfo`. */
export function ed25519Spki(key: Uint8Array): Bytes {
  return concat(ED25519_PREFIX, key);
}

/** The `SubjectPublicKeyInfo` of an RSA key with exponent 65537 (RFC 8017, appendix A.1.1). */
export function rsaSpki(modulus: Uint8Array): Bytes {
  const numbers = der(0x30, concat(der(0x02, positive(modulus)), der(0x02, Uint8Array.of(1, 0, 1))));
  return der(0x30, concat(bytesOf('300d06092a864886f70d0101010500'), der(0x03, concat(Uint8Array.of(0), numbers))));
}

function positive(number: Uint8Array): Bytes {
  return concat(...((number[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []), number);
}

function der(tag: number, content: Uint8Array): Bytes {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.of(tag, ...size), content);
}

/** An ECDSA signature from DER to two numbers of fixed length; `undefined` for all but the one DER spelling. */
export function fixedLength(signature: Uint8Array, width: number): Bytes | undefined {
  const [tag, length] = signature;
  if (tag !== 0x30 || length !== signature.length - 2 || length >= 0x80) return undefined;
  const r = derNumber(signature, 2);
  const s = r && derNumber(signature, r.end);
  if (r === undefined || s === undefined || s.end !== signature.length) return undefined;
  if (r.magnitude.length > width || s.magnitude.length > width) return undefined;
  const fixed = new Uint8Array(width * 2);
  fixed.set(r.magnitude, width - r.magnitude.length);
  fixed.set(s.magnitude, width * 2 - s.magnitude.length);
  return fixed;
}

function derNumber(bytes: Uint8Array, at: number): { magnitude: Uint8Array; end: number } | undefined {
  const [tag, length] = bytes.subarray(at, at + 2);
  if (tag !== 0x02 || length === undefined || length >= 0x80 || length === 0) return undefined;
  const end = at + 2 + length;
  const content = bytes.subarray(at + 2, end);
  const [first, second] = content;
  if (content.length !== length || first === undefined || first >= 0x80) return undefined;
  if (first !== 0) return { magnitude: content, end };
  // A leading zero only where the next byte would read as a sign.
  return second !== undefined && second >= 0x80 ? { magnitude: content.subarray(1), end } : undefined;
}

/** Reads standard base64 of a P-256 `SubjectPublicKeyInfo`. */
export function p256FromBase64(text: string): P256Key | undefined {
  const read = fromBase64(text);
  return read && P256Key.ofSpki(read);
}
