/** Sigstore bundles v0.3 around DSSE envelopes with in-toto statements, and the `hashedrekord` leaf that logs each. */

import { canonicalize, parseJson, type Json, type JsonObject } from './canonical';
import { concat, fromBase64, sha256, sha256Hex, toBase64, utf8, type Bytes } from './digest';
import type { P256Key } from './keys';
import { decimal } from './note';
import { digest, list, object, oneOf, record, refuse, text, type Shape } from './shape';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const MAX_PAYLOAD_BYTES = 1024 * 1024;
const MAX_SIGNATURE_BYTES = 72;
const MAX_PROOF_HASHES = 64;
const MAX_SUBJECTS = 64;

/** A signed payload. */
export interface Envelope {
  payload: Bytes;
  keyId: string;
  signature: Bytes;
}

/** What an attestation says, and of what. */
export interface Statement {
  subject: { name: string; digest: { sha256: string } }[];
  predicateType: string;
  predicate: JsonObject;
}

/** The log's part of a bundle. */
export interface Bundle {
  envelope: Envelope;
  /** Name of the key, base64 of its digest. */
  hint: string;
  logKeyId: Bytes;
  logIndex: number;
  treeSize: number;
  rootHash: Bytes;
  hashes: Bytes[];
  checkpoint: string;
  /** Bytes of the leaf. */
  leaf: Bytes;
}

const base64: Shape<Bytes> = (value) => fromBase64(text(value)) ?? refuse('it is not base64 with padding');
const hash: Shape<Bytes> = (value) => {
  const bytes = base64(value);
  return bytes.length === 32 ? bytes : refuse('a hash is not 32 bytes long');
};
const number: Shape<number> = (value) => decimal(text(value)) ?? refuse('it is not a plain decimal text');

interface RawEnvelope {
  payload: Bytes;
  payloadType: string;
  signatures: { keyid: string; sig: Bytes }[];
}

const rawEnvelope = record<RawEnvelope>({
  payload: base64,
  payloadType: oneOf(PAYLOAD_TYPE),
  signatures: list(record<RawEnvelope['signatures'][number]>({ keyid: digest, sig: base64 })),
});

const envelope: Shape<Envelope> = (value) => {
  const { payload, signatures } = rawEnvelope(value);
  const [signature, ...rest] = signatures;
  if (signature === undefined || rest.length > 0) return refuse('an envelope holds exactly one signature');
  if (payload.length > MAX_PAYLOAD_BYTES || signature.sig.length > MAX_SIGNATURE_BYTES) refuse('payload or signature is too large');
  return { payload, keyId: signature.keyid, signature: signature.sig };
};

interface LogEntry {
  logIndex: number;
  logId: { keyId: Bytes };
  kindVersion: { kind: string; version: string };
  inclusionProof: { logIndex: number; rootHash: Bytes; treeSize: number; hashes: Bytes[]; checkpoint: { envelope: string } };
  canonicalizedBody: Bytes;
}

const logEntry = record<LogEntry>({
  logIndex: number,
  logId: record<LogEntry['logId']>({ keyId: hash }),
  kindVersion: record<LogEntry['kindVersion']>({ kind: oneOf('hashedrekord'), version: oneOf('0.0.2') }),
  inclusionProof: record<LogEntry['inclusionProof']>({
    logIndex: number,
    rootHash: hash,
    treeSize: number,
    hashes: list(hash),
    checkpoint: record<{ envelope: string }>({ envelope: text }),
  }),
  canonicalizedBody: base64,
});

interface RawBundle {
  mediaType: string;
  verificationMaterial: { publicKey: { hint: string }; tlogEntries: LogEntry[] };
  dsseEnvelope: Envelope;
}

const rawBundle = record<RawBundle>({
  mediaType: oneOf('application/vnd.dev.sigstore.bundle.v0.3+json'),
  verificationMaterial: record<RawBundle['verificationMaterial']>({
    publicKey: record<{ hint: string }>({ hint: text }),
    tlogEntries: list(logEntry),
  }),
  dsseEnvelope: envelope,
});

/** Reads a bundle in any spelling of its JSON. Throws. */
export function parseBundle(bytes: Uint8Array): Bundle {
  const { verificationMaterial, dsseEnvelope } = rawBundle(parseJson(bytes));
  const [entry, ...rest] = verificationMaterial.tlogEntries;
  if (entry === undefined || rest.length > 0) return refuse('a bundle has exactly one entry of the log');
  const proof = entry.inclusionProof;
  if (proof.hashes.length > MAX_PROOF_HASHES) refuse('the proof is too long');
  if (entry.logIndex !== proof.logIndex || proof.logIndex >= proof.treeSize) refuse(`log index ${entry.logIndex} does not fit the proof`);
  return {
    envelope: dsseEnvelope,
    hint: verificationMaterial.publicKey.hint,
    logKeyId: entry.logId.keyId,
    logIndex: entry.logIndex,
    treeSize: proof.treeSize,
    rootHash: proof.rootHash,
    hashes: proof.hashes,
    checkpoint: proof.checkpoint.envelope,
    leaf: entry.canonicalizedBody,
  };
}

/** What is signed: DSSE's pre-authentication encoding of the payload. */
export function signedBytes({ payload }: Envelope): Bytes {
  return concat(utf8(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload);
}

/** What an event names an attestation by. */
export async function signedDigest(signed: Envelope): Promise<string> {
  return sha256Hex(signedBytes(signed));
}

/** Throws unless the bundle names this key and its leaf describes this envelope. */
export async function checkEntry(bundle: Bundle, key: P256Key): Promise<void> {
  const named = toBase64(await sha256(key.spki));
  if (bundle.hint !== named || bundle.envelope.keyId !== (await key.digest())) refuse('bundle names another attestation key');
  const body = canonicalize({
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: toBase64(await sha256(signedBytes(bundle.envelope))) },
        signature: {
          content: toBase64(bundle.envelope.signature),
          verifier: { keyDetails: 'PKIX_ECDSA_P256_SHA_256', publicKey: { rawBytes: toBase64(key.spki) } },
        },
      },
    },
  });
  if (toBase64(utf8(body)) !== toBase64(bundle.leaf)) refuse('logged entry does not describe this envelope: the log holds another attestation');
}

interface RawStatement extends Statement {
  _type: string;
}

const statement = record<RawStatement>({
  _type: oneOf('https://in-toto.io/Statement/v1'),
  subject: list(record<Statement['subject'][number]>({ name: text, digest: record<{ sha256: string }>({ sha256: digest }) })),
  predicateType: text,
  predicate: object,
});

/** Reads an envelope's payload. Throws. */
export function parseStatement(payload: Uint8Array): Statement {
  const read = statement(parseJson(payload));
  return read.subject.length >= 1 && read.subject.length <= MAX_SUBJECTS ? read : refuse(`a statement of ${read.subject.length} subjects`);
}

/** A member deep inside of what an unverified payload says. */
export function claimed(payload: Uint8Array, ...path: string[]): Json | undefined {
  let place: Json | undefined = parseJson(payload);
  for (const name of path) place = typeof place === 'object' && place !== null && !Array.isArray(place) ? place[name] : undefined;
  return place;
}
