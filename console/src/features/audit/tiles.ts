/** A leaf and its path to the root, read from the public tiles of the log (c2sp.org/tlog-tiles). */
import { problemOf } from '../../client/client';
import { type Bytes } from '../../verify/digest';
import { entriesOf, entriesPath, partial, positionPath, WIDTH } from '../../verify/entries';
import { openCheckpoint, parseNote, parseVerifierKey, type Checkpoint } from '../../verify/note';
import { refuse } from '../../verify/shape';
import { checkInclusion, leafHash, nodeHash } from '../../verify/tree';

const HEIGHT = 8;
const HASH_BYTES = 32;

/** Gives the bytes under `/log/`. */
export type Fetch = (path: string) => Promise<Bytes>;

export interface ProvedLeaf {
  bytes: Bytes;
  hash: Bytes;
  checkpoint: Checkpoint;
  /** Paths under `/log/`. */
  entries: string;
  hashes: string;
}

/** The newest checkpoint does not cover the leaf. */
export class NotCovered extends Error {
  override readonly name = 'NotCovered';
}

/**
 * The leaf at `index`, with its inclusion checked under the newest checkpoint that the log's key signed.
 *
 * @throws NotCovered, Refusal, ProblemError
 */
export async function proveLeaf(index: number, vkey: string, fetch: Fetch): Promise<ProvedLeaf> {
  const note = parseNote(await fetch('checkpoint'));
  const checkpoint = await openCheckpoint(note, await parseVerifierKey(vkey.trim()));
  const { size } = checkpoint.root;
  if (index >= size) throw new NotCovered();
  const tiles = new Tiles(size, fetch);
  const entries = entriesPath(index, size);
  const bytes = entriesOf(await fetch(entries))[index % WIDTH] ?? refuse('a bundle of the log has fewer entries than it should');
  const hash = await leafHash(bytes);
  await checkInclusion(checkpoint.root, index, hash, await pathTo(index, 0, size, tiles));
  return { bytes, hash, checkpoint, entries, hashes: tilePath(0, Math.floor(index / WIDTH), size) };
}

/** Siblings from the leaf up (RFC 9162, section 2.1.3.1). */
async function pathTo(index: number, start: number, end: number, tiles: Tiles): Promise<Bytes[]> {
  if (end - start <= 1) return [];
  const middle = start + largestPower(end - start);
  if (index < middle) return [...(await pathTo(index, start, middle, tiles)), await rangeHash(middle, end, tiles)];
  return [...(await pathTo(index, middle, end, tiles)), await rangeHash(start, middle, tiles)];
}

/** The hash of the leaves from `start` up to `end`, where `start` is a multiple of the largest power of two in it. */
async function rangeHash(start: number, end: number, tiles: Tiles): Promise<Bytes> {
  const count = end - start;
  const level = Math.log2(count);
  if (Number.isInteger(level)) return tiles.subtree(level, start / count);
  const middle = start + largestPower(count);
  return nodeHash(await rangeHash(start, middle, tiles), await rangeHash(middle, end, tiles));
}

/** The largest power of two below `count`. */
function largestPower(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

class Tiles {
  private readonly known = new Map<string, Promise<Bytes>>();

  constructor(
    private readonly size: number,
    private readonly fetch: Fetch,
  ) {}

  /** The hash of the complete subtree of 2^level leaves that is the `position`th of its row. */
  async subtree(level: number, position: number): Promise<Bytes> {
    if (level % HEIGHT !== 0) return nodeHash(await this.subtree(level - 1, position * 2), await this.subtree(level - 1, position * 2 + 1));
    const tile = await this.tile(tilePath(level / HEIGHT, Math.floor(position / WIDTH), this.size));
    const offset = (position % WIDTH) * HASH_BYTES;
    if (tile.length < offset + HASH_BYTES) throw new Error('a tile of the log is too short');
    return tile.slice(offset, offset + HASH_BYTES);
  }

  private tile(path: string): Promise<Bytes> {
    const found = this.known.get(path) ?? this.fetch(path);
    this.known.set(path, found);
    return found;
  }
}

/** Path of the hash tile that is the `position`th of its level, in a log of this size. */
export function tilePath(level: number, position: number, size: number): string {
  return `tile/${level}/${positionPath(position)}${partial(Math.floor(size / WIDTH ** level), position)}`;
}

/** From this server. */
export const fromServer: Fetch = async (path) => {
  const response = await fetch(`/log/${path}`, { credentials: 'same-origin', redirect: 'error' });
  if (!response.ok) throw problemOf(response, undefined);
  return new Uint8Array(await response.arrayBuffer());
};
