/** Signed notes (c2sp.org/signed-note), checkpoints (tlog-checkpoint) and proofs (tlog-proof@v1). */

import { decodeUtf8 } from './canonical';
import { concat, fromBase64, hex, sha256, toBase64, utf8, type Bytes } from './digest';
import { verifyEd25519 } from './keys';
import { refuse } from './shape';
import type { Root } from './tree';

const MAX_NOTE_BYTES = 256 * 1024;
const MAX_SIGNATURES = 64;
const MAX_EXTRA_BYTES = 16 * 1024;
const MAX_PATH = 63;
const PROOF_HEADER = 'c2sp.org/tlog-proof@v1';

/** Signature types: a log's Ed25519, and a witness's cosignature over it. */
export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;

/** Who verifies notes: `name+hexid+base64`, as `log.vkey` has it. */
export interface VerifierKey {
  name: string;
  type: typeof ED25519 | typeof COSIGNATURE;
  publicKey: Bytes;
  /** Full SHA-256 of name and key; its first four bytes are the key id. */
  hash: Bytes;
}

/** A signature line. */
export interface NoteSignature {
  name: string;
  id: Bytes;
  bytes: Bytes;
}

/** A text with signatures. */
export interface Note {
  text: string;
  signatures: NoteSignature[];
}

/** What a log committed to. */
export interface Checkpoint {
  origin: string;
  root: Root;
}

function checkName(name: string): string {
  const good = name !== '' && utf8(name).length <= 255 && !/[\p{White_Space}\p{Cc}+]/u.test(name);
  return good ? name : refuse(`\`${name.slice(0, 80)}\` cannot name a key`);
}

/** Whether this can name a log: a bare host name in lower case. */
export function isOrigin(text: string): boolean {
  const label = (part: string): boolean => /^[a-z0-9-]{1,63}$/.test(part) && !part.startsWith('-') && !part.endsWith('-');
  return text.length <= 253 && text.split('.').every(label);
}

export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const [name, id, ...rest] = text.split('+');
  const material = fromBase64(rest.join('+'));
  const type = material?.[0];
  if (name === undefined || id === undefined || material?.length !== 33) return refuse('not a verifier key; write `name+hexid+base64`');
  if (type !== ED25519 && type !== COSIGNATURE) return refuse("the key's type is not known; use 0x01 (Ed25519) or 0x04 (cosignature)");
  const hash = await sha256(concat(utf8(checkName(name)), Uint8Array.of(0x0a), material));
  if (hex(hash.subarray(0, 4)) !== id) refuse("the key's id does not belong to its name and key; copy it again");
  return { name, type, publicKey: material.slice(1), hash };
}

/** The key in its one spelling. */
export function keyText(key: VerifierKey): string {
  return `${key.name}+${hex(key.hash.subarray(0, 4))}+${toBase64(concat(Uint8Array.of(key.type), key.publicKey))}`;
}

export function parseNote(bytes: Uint8Array): Note {
  const all = bytes.length <= MAX_NOTE_BYTES ? decodeUtf8(bytes) : undefined;
  if (all === undefined || /[\u0000-\u0009\u000b-\u001f]/.test(all)) return refuse('a note is UTF-8 without control characters other than newline');
  // The last empty line parts text and signatures; the text may have empty lines of its own.
  const parts = all.lastIndexOf('\n\n');
  if (parts < 0) return refuse('the note has no signatures; they follow its last empty line');
  const lines = all.slice(parts + 2);
  if (!lines.endsWith('\n')) return refuse('the note does not end in a newline; it may be cut off');
  const signatures = lines.slice(0, -1).split('\n').map(parseSignature);
  if (signatures.length > MAX_SIGNATURES) refuse(`the note has more than ${MAX_SIGNATURES} signatures`);
  return { text: all.slice(0, parts + 1), signatures };
}

function parseSignature(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ');
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  if (dash !== '\u2014' || name === undefined || bytes === undefined || bytes.length < 5 || rest.length > 0) {
    return refuse("a signature line is an em dash, a key's name and base64, with single spaces between");
  }
  return { name: checkName(name), id: bytes.slice(0, 4), bytes: bytes.slice(4) };
}

/** The note as it was parsed, byte for byte. */
export function noteText(note: Note): string {
  const line = ({ name, id, bytes }: NoteSignature): string => `\u2014 ${name} ${toBase64(concat(id, bytes))}\n`;
  return `${note.text}\n${note.signatures.map(line).join('')}`;
}

/** The one line of this key, if there is one. */
export function signatureBy(note: Note, key: VerifierKey): NoteSignature | undefined {
  const id = hex(key.hash.subarray(0, 4));
  const lines = note.signatures.filter((line) => line.name === key.name && hex(line.id) === id);
  if (lines.length > 1) refuse(`the note carries two signatures of \`${key.name}\`; keep one`);
  return lines[0];
}

/** Throws unless this log's key signed the note. */
export async function checkNote(note: Note, key: VerifierKey): Promise<void> {
  const line = key.type === ED25519 ? signatureBy(note, key) : refuse(`the key \`${key.name}\` is not a log's`);
  if (line === undefined) return refuse(`the note is not signed by \`${key.name}\`; check that the key is the right one`);
  const signed = await verifyEd25519(key.publicKey, utf8(note.text), line.bytes);
  if (!signed) refuse(`the signature of \`${key.name}\` is not over this text; the note was changed or forged`);
}

/** A decimal as the C2SP formats write it; `undefined` for any other spelling, and beyond what is exact here. */
export function decimal(text: string): number | undefined {
  const number = /^(?:0|[1-9][0-9]*)$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

function hashOf(text: string): Bytes {
  const bytes = fromBase64(text);
  return bytes?.length === 32 ? bytes : refuse('a SHA-256 value in base64 is 44 characters of the standard alphabet');
}

/** The root of no leaves. */
const EMPTY_ROOT = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

/** Reads a checkpoint's text; extension lines are refused, since no monitor can audit them. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, hash, end, ...rest] = text.split('\n');
  if (origin === undefined || size === undefined || hash === undefined || end !== '' || rest.length > 0) {
    return refuse('a checkpoint is three lines: name, size, root; extension lines are not taken');
  }
  const leaves = decimal(size) ?? refuse('the second line of a checkpoint is its size in decimal, without leading zeros');
  if (!isOrigin(origin)) refuse(`\`${origin.slice(0, 80)}\` cannot name a log`);
  if (leaves === 0 && hash !== EMPTY_ROOT) refuse('an empty tree has one root, and this is another');
  return { origin, root: { size: leaves, hash: hashOf(hash) } };
}

/** A checkpoint whose log's signature was verified under this key, which is of that log. */
export async function openCheckpoint(note: Note, key: VerifierKey): Promise<Checkpoint> {
  await checkNote(note, key);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== key.name) refuse(`the checkpoint is of the log \`${checkpoint.origin}\`, the key is of \`${key.name}\``);
  return checkpoint;
}

/** The text that says "this leaf is in that log". */
export interface LogProof {
  index: number;
  path: Bytes[];
  extra: boolean;
  checkpoint: Note;
}

export function parseProof(bytes: Uint8Array): LogProof {
  const text = bytes.length <= MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES ? decodeUtf8(bytes) : undefined;
  const parts = text?.indexOf('\n\n') ?? -1;
  if (text === undefined || parts < 0) return refuse('a proof is its lines, an empty line and a checkpoint');
  const [header, ...lines] = text.slice(0, parts).split('\n');
  if (header !== PROOF_HEADER) refuse(`a proof begins with the line \`${PROOF_HEADER}\``);
  const extra = lines[0]?.startsWith('extra ') === true ? lines.shift()?.slice('extra '.length) : undefined;
  const said = extra === undefined ? undefined : fromBase64(extra);
  if (extra !== undefined && (said === undefined || said.length > MAX_EXTRA_BYTES)) refuse('the extra line of a proof is base64');
  const first = lines.shift();
  const index = first?.startsWith('index ') === true ? decimal(first.slice('index '.length)) : undefined;
  if (index === undefined) return refuse('the index line of a proof is `index` and a decimal');
  const path = lines.map(hashOf);
  if (path.length > MAX_PATH) refuse(`a proof has at most ${MAX_PATH} hashes`);
  return { index, path, extra: extra !== undefined, checkpoint: parseNote(utf8(text.slice(parts + 2))) };
}
