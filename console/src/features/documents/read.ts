/** Reads a document from exactly the text that is signed, and computes what the passkey signs. */
import type { Schema } from '../../client/client';
import { isObject, parseStrict, type JsonObject } from '../../verify/canonical';
import { challenge, hex, sha256Hex, toBase64Url, type Bytes, type Context } from '../../verify/digest';
import { fingerprintOf, moment } from '../../ui/format';
import type { Findings } from './findings';

/** A document that was read from its canonical text. */
export interface SignedDocument {
  content: JsonObject;
  text: string;
  /** SHA-256 of the text, hexadecimal. */
  sha256: string;
  /** What the passkey signs. */
  challenge: Bytes;
  /** First digits of the challenge, in groups; the command line prints the same. */
  fingerprint: string;
}

/** @throws Error for anything but the canonical text of a document of that kind. */
export async function readDocument(kind: Context, text: string | null | undefined): Promise<SignedDocument> {
  if (typeof text !== 'string') throw new Error(`the ${kind} document is absent`);
  const content = parseStrict(text);
  if (!isObject(content) || content.type !== `urn:chancery:${kind}:v1`) throw new Error(`it is not a ${kind} document`);
  const signed = await challenge(kind, text);
  return { content, text, sha256: await sha256Hex(text), challenge: signed, fingerprint: fingerprintOf(hex(signed)) };
}

/** What an offer to sign is held against. */
export interface Offer {
  options: Schema<'RequestOptions'>;
  server: Pick<Schema<'ServerInformation'>, 'log_origin' | 'rp_id'>;
  longestSeconds: number;
  /** Milliseconds since 1970. */
  now: number;
}

const SHORTEST_NONCE = 22;
const CLOCK_DIFFERENCE_MS = 120_000;

/** What every offer to sign has in common. */
export function examineOffer(findings: Findings, { content, challenge: signed }: SignedDocument, offer: Offer): void {
  findings.same('log', content.log_origin, offer.server.log_origin);
  findings.same('challenge', toBase64Url(signed), offer.options.challenge);
  findings.same('relying party', offer.server.rp_id, offer.options.rpId);
  findings.holds('nonce', typeof content.nonce === 'string' && content.nonce.length >= SHORTEST_NONCE, 'is absent or too short');
  const issued = moment(content.issued_at);
  const expires = moment(content.expires_at);
  const here = `this computer says ${new Date(offer.now).toISOString()}`;
  findings.holds('time of the offer', expires > issued && expires - issued <= offer.longestSeconds * 1000, `from ${String(content.issued_at)} to ${String(content.expires_at)}`);
  findings.holds('time of the offer', expires > offer.now, `it ended at ${String(content.expires_at)}; ${here}`);
  findings.holds('time of the offer', issued < offer.now + CLOCK_DIFFERENCE_MS, `it begins at ${String(content.issued_at)}; ${here}`);
}
