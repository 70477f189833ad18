/** Bundles of the log's entries and their places (c2sp.org/tlog-tiles). */

import type { Bytes } from './digest';
import { MAX_LEAF_BYTES } from './events';
import { refuse } from './shape';

/** How many entries stand in a bundle, and hashes in a tile. */
export const WIDTH = 256;

/** Path of the bundle with the entry at `index`, in a log of this size. */
export function entriesPath(index: number, size: number): string {
  const position = Math.floor(index / WIDTH);
  return `${wholePath(index)}${partial(size, position)}`;
}

/** Path that the bundle has once it is full. */
export function wholePath(index: number): string {
  return `tile/entries/${positionPath(Math.floor(index / WIDTH))}`;
}

/** The last tile of a row says how wide it is. */
export function partial(inRow: number, position: number): string {
  const width = Math.min(WIDTH, inRow - position * WIDTH);
  return width < WIDTH ? `.p/${width}` : '';
}

/** Three digits a step, all but the last behind an `x`. */
export function positionPath(position: number): string {
  const groups = String(position).padStart(Math.ceil(String(position).length / 3) * 3, '0').match(/.{3}/g) ?? [];
  return groups.map((group, step) => (step < groups.length - 1 ? `x${group}` : group)).join('/');
}

/** The entries of a bundle, which stand one after the other, each behind its length in two bytes. Throws when one is cut off. */
export function entriesOf(bundle: Uint8Array): Bytes[] {
  const entries: Bytes[] = [];
  for (let offset = 0; offset < bundle.length; ) {
    const [high, low] = [bundle[offset], bundle[offset + 1]];
    const end = high === undefined || low === undefined ? Infinity : offset + 2 + high * 256 + low;
    if (end > bundle.length) return refuse(`the bundle ends inside its entry ${entries.length}`);
    if (end - offset - 2 > MAX_LEAF_BYTES) return refuse(`entry ${entries.length} of the bundle has more than ${MAX_LEAF_BYTES} bytes`);
    entries.push(new Uint8Array(bundle.slice(offset + 2, end)));
    offset = end;
  }
  return entries;
}
