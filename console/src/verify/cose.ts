/** COSE public keys as authenticators report them (RFC 9052, RFC 9053, RFC 8230), each in its one canonical form. */

import { concat, equal, fromHex, type Bytes } from './digest';
import { isAcceptableEd25519, P256Key, rsaSpki, verifyEd25519, verifyRsa } from './keys';
import { refuse } from './shape';

const hexBytes = (text: string): Bytes => fromHex(text) ?? refuse('a constant of this file is no hexadecimal text');

// Maps of key type, algorithm, curve and material, up to where the material begins.
const ES256_HEAD = hexBytes('a5010203262001215820');
const ES256_MIDDLE = hexBytes('225820');
const EDDSA_HEAD = hexBytes('a4010103272006215820');
const RS256_HEAD = hexBytes('a401030339010020');
/** -2: 65537, the only exponent that is taken. */
const RS256_TAIL = hexBytes('2143010001');

/** A public key and how it verifies. */
export interface CoseKey {
  bytes: Bytes;
  verify: (message: Uint8Array, signature: Uint8Array) => Promise<boolean>;
}

/** Reads a key, and nothing after it. */
export function parseCose(bytes: Uint8Array): CoseKey {
  const key = parseCosePrefix(bytes);
  return key.bytes.length === bytes.length ? key : refuse('key is not a COSE key: enrol it again');
}

/** Reads the key at the start of these bytes. */
export function parseCosePrefix(bytes: Uint8Array): CoseKey {
  return es256(bytes) ?? eddsa(bytes) ?? rs256(bytes) ?? refuse('key is not a canonical COSE key of ES256, EdDSA or RS256: enrol it again');
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return equal(bytes.subarray(0, prefix.length), prefix);
}

function es256(bytes: Uint8Array): CoseKey | undefined {
  const [x, y] = [ES256_HEAD.length, ES256_HEAD.length + 32 + ES256_MIDDLE.length];
  const whole = startsWith(bytes, ES256_HEAD) && equal(bytes.subarray(x + 32, y), ES256_MIDDLE) && bytes.length >= y + 32;
  if (!whole) return undefined;
  const key = P256Key.ofPoint(concat(Uint8Array.of(4), bytes.subarray(x, x + 32), bytes.subarray(y, y + 32)));
  return key && { bytes: new Uint8Array(bytes.subarray(0, y + 32)), verify: (message, signature) => key.verify(message, signature) };
}

function eddsa(bytes: Uint8Array): CoseKey | undefined {
  const end = EDDSA_HEAD.length + 32;
  if (!startsWith(bytes, EDDSA_HEAD) || bytes.length < end) return undefined;
  const key = bytes.slice(EDDSA_HEAD.length, end);
  if (!isAcceptableEd25519(key)) refuse('key is too weak');
  return { bytes: bytes.slice(0, end), verify: (message, signature) => verifyEd25519(key, message, signature) };
}

function rs256(bytes: Uint8Array): CoseKey | undefined {
  const at = RS256_HEAD.length;
  const [kind, high, low] = bytes.subarray(at);
  if (!startsWith(bytes, RS256_HEAD) || kind !== 0x59 || high === undefined || low === undefined) return undefined;
  const length = high * 256 + low;
  const [start, end] = [at + 3, at + 3 + length];
  if (!equal(bytes.subarray(end, end + RS256_TAIL.length), RS256_TAIL)) return undefined;
  const modulus = bytes.slice(start, end);
  if (length < 256 || length > 512 || (modulus[0] ?? 0) < 0x80) refuse('key is too weak: use RSA with 2048 to 4096 bits');
  const spki = rsaSpki(modulus);
  return { bytes: bytes.slice(0, end + RS256_TAIL.length), verify: (message, signature) => verifyRsa(spki, 'SHA-256', message, signature) };
}
