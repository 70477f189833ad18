/** SHA-256, hexadecimal and base64 with one spelling each, and what people sign (docs/spec/documents.md). */

import { decodeUtf8 } from './canonical';

/** Bytes that WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** UTF-8. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** The parts, one after the other. */
export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Whether both hold the same bytes. */
export function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, position) => byte === right[position]);
}

/** SHA-256 of the bytes. */
export async function sha256(bytes: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Bytes));
}

/** SHA-256 of the bytes or the text's UTF-8, as 64 lower-case hexadecimal digits. */
export async function sha256Hex(content: Uint8Array | string): Promise<string> {
  return hex(await sha256(typeof content === 'string' ? utf8(content) : content));
}

/** Lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Bytes of lower-case hexadecimal digits; `undefined` for anything else. */
export function fromHex(text: string): Bytes | undefined {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, position) => parseInt(text.slice(position * 2, position * 2 + 2), 16));
}

/** Whether this is a digest: 64 lower-case hexadecimal digits. */
export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Bytes of standard base64 with padding; `undefined` for any other spelling, also for non-zero trailing bits. */
export function fromBase64(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : undefined;
}

/** base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Bytes of base64url without padding; `undefined` for any other spelling. */
export function fromBase64Url(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const padding = '='.repeat((4 - (text.length % 4)) % 4);
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/') + padding);
}

/** First lines of what is hashed and signed; a signature over one kind never passes for another. */
export const CONTEXTS = {
  request: 'chancery request v1\n',
  decision: 'chancery decision v1\n',
  session: 'chancery session v1\n',
  identity: 'chancery identity v1\n',
  recovery: 'chancery recovery v1\n',
  trust: 'chancery trust v1\n',
} as const;

/** A kind of document that people sign. */
export type Context = keyof typeof CONTEXTS;

/** SHA-256(context ‖ canonical text): the WebAuthn challenge, or what a session or recovery key signs. */
export async function challenge(context: Context, text: string | Uint8Array): Promise<Bytes> {
  return sha256(concat(utf8(CONTEXTS[context]), typeof text === 'string' ? utf8(text) : text));
}

/** The request digest, in hexadecimal digits: SHA-256 of the canonical request document, without a context. */
export async function requestDigest(text: string): Promise<string> {
  return sha256Hex(text);
}

/** What the requester signs, 32 bytes. */
export async function requestChallenge(text: string): Promise<Bytes> {
  return challenge('request', text);
}

/** What an approver's passkey signs, 32 bytes. */
export async function decisionChallenge(text: string): Promise<Bytes> {
  return challenge('decision', text);
}

/** Text of bytes that must be ASCII; `undefined` for anything else. */
export function ascii(bytes: Uint8Array): string | undefined {
  return bytes.every((byte) => byte < 0x80) ? decodeUtf8(bytes) : undefined;
}
