// The formats once more, written for the tests alone, so that they can lie consistently.
import { createHash } from 'node:crypto';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
export const hex = (bytes) => sha256(bytes).toString('hex');

export function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

// The text with a change, not written anew otherwise.
export function changed(text, change) {
  const content = JSON.parse(text);
  change(content);
  return canonical(content);
}

// An offer to sign whose digests fit its changed document.
export function reoffered(offer, kind, change) {
  const document = changed(offer.document, change);
  const challenge = sha256(`chancery ${kind} v1\n${document}`);
  const fingerprint = challenge.toString('hex').slice(0, 20).match(/.{4}/g).join(' ');
  const again = { ...offer, document, public_key: { ...offer.public_key, challenge: challenge.toString('base64url') } };
  if ('fingerprint' in offer) again.fingerprint = fingerprint;
  if ('document_sha256' in offer) again.document_sha256 = hex(document);
  return again;
}
