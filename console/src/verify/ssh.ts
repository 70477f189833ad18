/** SSH public keys (RFC 4253 §6.6, RFC 5656, RFC 8709) and signatures by them (OpenSSH PROTOCOL.sshsig). */

import { decodeUtf8 } from './canonical';
import { concat, equal, fromBase64, sha256, toBase64, utf8, type Bytes } from './digest';
import { isAcceptableEd25519, P256, P256Key, rsaSpki, verifyEcdsa, verifyEd25519, verifyRsa } from './keys';
import { refuse } from './shape';

const MAX_LINE_BYTES = 4096;
const MAX_SIGNATURE_BYTES = 4096;
const USER_PRESENT = 0x01;

/** The namespace in which a beneficiary's key signs a request. */
export const REQUEST_NAMESPACE = 'chancery-request@v1';

/** The encoding inside SSH keys and signatures (RFC 4251, section 5). */
export class WireReader {
  private readonly input: Uint8Array;
  private at = 0;

  constructor(input: Uint8Array) {
    this.input = input;
  }

  get rest(): Uint8Array {
    return this.input.subarray(this.at);
  }

  take(length: number): Uint8Array {
    const taken = this.input.subarray(this.at, this.at + length);
    if (taken.length !== length) refuse('SSH data ends in the middle of a field');
    this.at += length;
    return taken;
  }

  number(): number {
    return this.take(4).reduce((number, byte) => number * 256 + byte, 0);
  }

  long(): bigint {
    return this.take(8).reduce((number, byte) => number * 256n + BigInt(byte), 0n);
  }

  string(): Uint8Array {
    return this.take(this.number());
  }

  text(): string {
    return decodeUtf8(this.string()) ?? refuse('SSH text is not UTF-8');
  }

  /** The magnitude of a number above 0, without a leading zero that is not needed. */
  positive(): Uint8Array {
    const bytes = this.string();
    const [first, second] = bytes;
    if (first === undefined || first >= 0x80) return refuse('SSH number is not positive');
    if (first !== 0) return bytes;
    return second !== undefined && second >= 0x80 ? bytes.subarray(1) : refuse('SSH number has leading zeros');
  }

  end(): void {
    if (this.at !== this.input.length) refuse('SSH data goes on after its end');
  }
}

/** A string field. */
export function wireString(content: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, content.length);
  return concat(length, content);
}

type Material =
  | { type: 'ssh-ed25519'; key: Uint8Array }
  | { type: 'ecdsa-sha2-nistp256'; key: P256Key }
  | { type: 'ssh-rsa'; spki: Bytes }
  | { type: 'sk-ssh-ed25519@openssh.com'; key: Uint8Array; application: string };

/** A public key. */
export interface SshKey {
  blob: Bytes;
  material: Material;
}

/** `TYPE BASE64`: the key's line without a comment. */
export function sshKeyLine(key: SshKey): string {
  return `${key.material.type} ${toBase64(key.blob)}`;
}

/** Reads one line, with or without a comment. */
export function parseSshKey(text: string): SshKey {
  const line = text.replace(/\n$/, '').replace(/\r$/, '');
  const [type, encoded] = line.split(' ');
  const blob = encoded === undefined ? undefined : fromBase64(encoded);
  if (utf8(line).length > MAX_LINE_BYTES || /\p{Cc}/u.test(line) || blob === undefined) return refuse('not one SSH public key line');
  const key = readSshKey(blob);
  return key.material.type === type ? key : refuse('SSH key is damaged: copy the `.pub` file again');
}

function readSshKey(blob: Uint8Array): SshKey {
  const reader = new WireReader(blob);
  const material = readMaterial(reader.text(), reader);
  reader.end();
  return { blob: new Uint8Array(blob), material };
}

function readMaterial(type: string, reader: WireReader): Material {
  switch (type) {
    case 'ssh-ed25519':
      return { type, key: acceptable(reader.string()) };
    case 'ecdsa-sha2-nistp256': {
      if (reader.text() !== 'nistp256') refuse('SSH key is damaged');
      return { type, key: P256Key.ofPoint(reader.string()) ?? refuse('SSH key is damaged') };
    }
    case 'ssh-rsa': {
      const [exponent, modulus] = [reader.positive(), reader.positive()];
      const long = modulus.length > 256 || (modulus.length === 256 && (modulus[0] ?? 0) >= 0x80);
      if (!equal(exponent, Uint8Array.of(1, 0, 1)) || !long || modulus.length > 1024) refuse('SSH key is too weak');
      return { type, spki: rsaSpki(modulus) };
    }
    case 'sk-ssh-ed25519@openssh.com':
      return { type, key: acceptable(reader.string()), application: reader.text() };
    default:
      return refuse(`key type \`${type}\` is not supported: use Ed25519, ECDSA P-256 or RSA`);
  }
}

function acceptable(key: Uint8Array): Uint8Array {
  return isAcceptableEd25519(key) ? key : refuse('SSH key is too weak');
}

/** Throws unless this blob is a signature by this key over the message, in this namespace. */
export async function checkSshSignature(blob: Uint8Array, key: SshKey, namespace: string, message: Uint8Array): Promise<void> {
  const reader = new WireReader(blob);
  if (blob.length > MAX_SIGNATURE_BYTES || !equal(reader.take(6), utf8('SSHSIG')) || reader.number() !== 1) refuse('not an SSH signature of version 1');
  const [publicKey, space, reserved, hash, inner] = [reader.string(), reader.text(), reader.string(), reader.text(), reader.string()];
  reader.end();
  if (reserved.length > 0) refuse('SSH signature is of another version');
  if (hash !== 'sha256' && hash !== 'sha512') return refuse('SSH signature algorithm is not supported: use SHA-256 or SHA-512');
  readSshKey(publicKey);
  if (!equal(publicKey, key.blob)) refuse('signed by another SSH key: sign with the key that the request names');
  if (space !== namespace || space === '') refuse(`SSH signature is for namespace \`${space}\``);
  const hashed = new Uint8Array(await crypto.subtle.digest(hash === 'sha256' ? 'SHA-256' : 'SHA-512', new Uint8Array(message)));
  const fields = [utf8(namespace), utf8(''), utf8(hash), hashed].map(wireString);
  await checkInner(key.material, inner, concat(utf8('SSHSIG'), ...fields));
}

async function checkInner(material: Material, inner: Uint8Array, signed: Bytes): Promise<void> {
  const reader = new WireReader(inner);
  const [algorithm, content] = [reader.text(), reader.string()];
  if (material.type === 'sk-ssh-ed25519@openssh.com' && algorithm === material.type) {
    return checkSecurityKey(material, reader, content, signed);
  }
  reader.end();
  if (!(await verifies(material, algorithm, content, signed))) refuse('SSH signature does not verify, or is of an algorithm that is not supported');
}

async function verifies(material: Material, algorithm: string, content: Uint8Array, signed: Bytes): Promise<boolean> {
  if (material.type === 'ssh-ed25519') return algorithm === material.type && verifyEd25519(material.key, signed, content);
  if (material.type === 'ecdsa-sha2-nistp256') return algorithm === material.type && verifyEcdsa(material.key.spki, P256, signed, twoNumbers(content));
  if (material.type !== 'ssh-rsa') return false;
  const hash = algorithm === 'rsa-sha2-256' ? 'SHA-256' : algorithm === 'rsa-sha2-512' ? 'SHA-512' : undefined;
  return hash !== undefined && verifyRsa(material.spki, hash, signed, content);
}

/** A hardware key signs its application, a flag for the touch, a counter and the digest of the message. */
async function checkSecurityKey(material: { key: Uint8Array; application: string }, reader: WireReader, content: Uint8Array, signed: Bytes): Promise<void> {
  const tail = reader.take(5);
  reader.end();
  const message = concat(await sha256(utf8(material.application)), tail, await sha256(signed));
  if (!(await verifyEd25519(material.key, message, content))) refuse('SSH signature does not verify');
  if (((tail[0] ?? 0) & USER_PRESENT) === 0) refuse('security key was not touched');
}

/** The two numbers of an ECDSA signature, as 32 bytes each. */
function twoNumbers(content: Uint8Array): Bytes {
  const reader = new WireReader(content);
  const numbers = [reader.positive(), reader.positive()];
  reader.end();
  const fixed = new Uint8Array(64);
  for (const [place, number] of numbers.entries()) {
    if (number.length > 32) refuse('SSH signature is malformed');
    fixed.set(number, (place + 1) * 32 - number.length);
  }
  return fixed;
}
