/**
 * Reading the zip, strictly: every byte belongs to exactly one file or header, and what is said twice is said alike.
 * Lenient readers see different files in one zip; this one sees what all of them see, or refuses.
 */

import { decodeUtf8 } from './canonical';
import { concat, equal, utf8, type Bytes } from './digest';
import { refuse } from './shape';

/** The files of a bundle by path. */
export type Files = ReadonlyMap<string, Bytes>;

/** The largest bundle, unpacked, in bytes. */
export const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 16 * 1024;
const MAX_PATH_BYTES = 200;
/** How many times larger a file may be than what it is packed in. */
const MAX_RATIO = 200;
/** Below this, a file is no bomb. */
const RATIO_FLOOR = 64 * 1024;

const LOCAL_LENGTH = 30;
const CENTRAL_LENGTH = 46;
const END_LENGTH = 22;
const LOCAL_MARK = 0x04034b50;
const CENTRAL_MARK = 0x02014b50;
const END_MARK = 0x06054b50;
/** Bits that change nothing: how hard it was compressed (1, 2), and that names are UTF-8 (11). */
const HARMLESS_FLAGS = 0x0806;
const DEFLATED = 8;

/** Unpacks a zip. Throws a refusal for anything that two readers could see differently. */
export async function unpack(zip: Uint8Array): Promise<Files> {
  if (zip.length > 2 * MAX_TOTAL_BYTES) refuse(`the files have more than ${MAX_TOTAL_BYTES} bytes together`);
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const { directory, entries } = readDirectory(zip, view);
  const files = new Map<string, Bytes>();
  const folded = new Set<string>();
  let covered = 0;
  let total = 0;
  // In the order of their place, so that gaps and overlaps show.
  for (const entry of entries) {
    if (entry.offset !== covered) refuse(`${Math.abs(entry.offset - covered)} bytes in the zip belong to no file: pack it again`);
    const packed = dataOf(entry, zip, view);
    covered = entry.offset + LOCAL_LENGTH + utf8(entry.path).length + packed.length;
    if (folded.has(entry.path.toLowerCase())) refuse(`\`${entry.path}\` occurs twice in the zip`);
    folded.add(entry.path.toLowerCase());
    total += entry.size;
    if (total > MAX_TOTAL_BYTES) refuse(`the files have more than ${MAX_TOTAL_BYTES} bytes together`);
    files.set(entry.path, await contentOf(entry, packed));
  }
  if (covered !== directory) refuse(`${Math.abs(directory - covered)} bytes in the zip belong to no file: pack it again`);
  return new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Whether this is a relative path of plain names. */
export function isPlainPath(path: string): boolean {
  const plain = (part: string): boolean => /^[A-Za-z0-9._-]+$/.test(part) && part !== '.' && part !== '..';
  return path.length <= MAX_PATH_BYTES && path.split('/').every(plain);
}

interface Entry {
  path: string;
  /** Version to field of sizes: what a local header must repeat. */
  shared: Uint8Array;
  deflated: boolean;
  checksum: number;
  packed: number;
  size: number;
  offset: number;
}

function readDirectory(zip: Uint8Array, view: DataView): { directory: number; entries: Entry[] } {
  // INVARIANT: the end is the last thing and has no comment, so there is one place to look for it.
  const end = zip.length - END_LENGTH;
  if (end < 0 || view.getUint32(end, true) !== END_MARK || view.getUint16(end + 20, true) !== 0) {
    refuse('this is not a zip file, or bytes follow its end: export the evidence again');
  }
  const count = view.getUint16(end + 10, true);
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 6, true) !== 0 || view.getUint16(end + 8, true) !== count) {
    unsupported('several disks');
  }
  const [size, directory] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  if (count === 0xffff || size === 0xffff_ffff || directory === 0xffff_ffff) unsupported('zip64');
  if (directory + size !== end) refuse('bytes in the zip belong to no file: pack it again');
  if (count > MAX_FILES) refuse(`there are more than ${MAX_FILES} files`);
  const entries: Entry[] = [];
  let at = directory;
  for (let read = 0; read < count; read += 1) {
    const entry = readEntry(zip, view, at, end);
    entries.push(entry);
    at += CENTRAL_LENGTH + utf8(entry.path).length;
  }
  if (at !== end) refuse('bytes in the zip belong to no file: pack it again');
  return { directory, entries: entries.sort((left, right) => left.offset - right.offset) };
}

function readEntry(zip: Uint8Array, view: DataView, at: number, end: number): Entry {
  if (at + CENTRAL_LENGTH > end || view.getUint32(at, true) !== CENTRAL_MARK) refuse('the zip ends in the middle of its directory');
  const nameEnd = at + CENTRAL_LENGTH + view.getUint16(at + 28, true);
  const path = nameEnd <= zip.length ? decodeUtf8(zip.subarray(at + CENTRAL_LENGTH, nameEnd)) : undefined;
  if (path === undefined || !isPlainPath(path)) refuse(`\`${(path ?? '').slice(0, 80)}\` is not a plain relative path`);
  const entry: Entry = {
    path,
    shared: zip.subarray(at + 6, at + 28),
    deflated: view.getUint16(at + 10, true) === DEFLATED,
    checksum: view.getUint32(at + 16, true),
    packed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    offset: view.getUint32(at + 42, true),
  };
  checkFeatures(path, view, at);
  return entry;
}

/** What evidence never uses, and what readers treat in different ways. */
function checkFeatures(path: string, view: DataView, at: number): void {
  const flags = view.getUint16(at + 8, true);
  if ((flags & 1) !== 0) unsupported('encryption');
  if ((flags & ~HARMLESS_FLAGS) !== 0) unsupported('sizes after the data, patches or masked headers');
  if (![0, DEFLATED].includes(view.getUint16(at + 10, true))) unsupported('a compression other than deflate');
  if (view.getUint16(at + 30, true) !== 0) unsupported('additional fields');
  if (view.getUint16(at + 32, true) !== 0) unsupported('comments');
  if (view.getUint16(at + 34, true) !== 0) unsupported('several disks');
  if ([20, 24, 42].some((field) => view.getUint32(at + field, true) === 0xffff_ffff)) unsupported('zip64');
  // The upper half is a Unix mode when the maker says Unix; a kind that is given must be a plain file.
  const attributes = view.getUint32(at + 38, true);
  const kind = (attributes >>> 16) & 0o170_000;
  if ((attributes & 0x10) !== 0 || ![0, 0o100_000].includes(kind)) refuse(`\`${path}\` is not a plain file`);
}

/** The packed bytes, after checking that the header in front of them says what the directory says. */
function dataOf(entry: Entry, zip: Uint8Array, view: DataView): Uint8Array {
  const { offset, path } = entry;
  if (offset + LOCAL_LENGTH > zip.length || view.getUint32(offset, true) !== LOCAL_MARK) refuse('the zip ends in the middle of a header');
  if (!equal(zip.subarray(offset + 4, offset + 26), entry.shared)) {
    refuse(`\`${path}\` is described in the zip's directory otherwise than in front of its data`);
  }
  if (view.getUint16(offset + 28, true) !== 0) unsupported('additional fields');
  const nameAt = offset + LOCAL_LENGTH;
  const start = nameAt + view.getUint16(offset + 26, true);
  if (!equal(zip.subarray(nameAt, start), utf8(path))) refuse(`\`${path}\` has another name in front of its data`);
  if (start + entry.packed > zip.length) refuse('the zip ends in the middle of a file');
  return zip.subarray(start, start + entry.packed);
}

async function contentOf(entry: Entry, packed: Uint8Array): Promise<Bytes> {
  const bytes = entry.deflated ? await inflate(entry, packed) : new Uint8Array(packed);
  if (bytes.length !== entry.size) refuse(`the data of \`${entry.path}\` has another length than its header says`);
  if (crc32(bytes) !== entry.checksum) refuse(`the data of \`${entry.path}\` is damaged: its checksum is another`);
  return bytes;
}

async function inflate(entry: Entry, packed: Uint8Array): Promise<Bytes> {
  if (entry.size > RATIO_FLOOR && Math.floor(entry.size / MAX_RATIO) > packed.length) {
    refuse(`\`${entry.path}\` unpacks to more than ${MAX_RATIO} times its size`);
  }
  const whole = await inflated(packed, entry.size);
  // Not every platform refuses bytes behind the stream's end; with the last byte gone, a whole stream cannot end.
  const shorter = packed.length > 0 ? await inflated(packed.subarray(0, packed.length - 1), entry.size) : undefined;
  if (whole === undefined || shorter !== undefined) refuse(`the data of \`${entry.path}\` is not one complete deflate stream of the size promised`);
  return whole;
}

/** The stream's content; `undefined` unless it is complete and no longer than promised. */
async function inflated(packed: Uint8Array, size: number): Promise<Bytes | undefined> {
  const stream = new Blob([new Uint8Array(packed)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concat(...parts);
      parts.push(value);
      length += value.length;
      if (length > size) {
        await reader.cancel();
        return undefined;
      }
    }
  } catch {
    return undefined;
  }
}

function unsupported(what: string): never {
  return refuse(`the zip uses ${what}, which evidence never does: pack it again without`);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) !== 0 ? 0xedb88320 : 0);
  return crc;
});

/** The container's error detection. It protects nothing; the digests in `evidence.json` do. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffff_ffff) >>> 0;
}
