/** From what somebody dropped (`trust.json`, a whole `trust/` folder, or a zip of its files) to the files of a trust directory. */

import { unpack } from './container';
import { refuse } from './shape';

/** A file as a browser hands it over; the path is relative to what was dropped. */
export interface Dropped {
  path: string;
  bytes: Uint8Array;
}

/** Paths relative to the folder in which `trust.json` stands. Throws when there is none, or when it came in evidence. */
export async function trustFiles(dropped: readonly Dropped[]): Promise<Map<string, Uint8Array>> {
  const [only, ...rest] = dropped;
  if (only === undefined) return refuse('nothing was dropped: give `trust.json`, the trust folder, or a zip of its files (`zip -X -D -r trust.zip trust`)');
  const files = rest.length === 0 && isZip(only.bytes) ? [...(await unpack(only.bytes))].map(([path, bytes]) => ({ path, bytes })) : dropped;
  // INVARIANT: a copy that comes with what is to be verified proves nothing.
  if (files.some(({ path }) => fileName(path) === 'evidence.json')) {
    refuse('this is an evidence bundle: the copy of trust inside it proves nothing, so get the trust directory from elsewhere');
  }
  const roots = files.filter(({ path }) => fileName(path) === 'trust.json').sort((left, right) => left.path.length - right.path.length);
  const root = roots[0] ?? refuse('there is no `trust.json` in what was dropped');
  const folder = root.path.slice(0, -'trust.json'.length);
  const inside = files.filter(({ path }) => path.startsWith(folder) && !isHidden(path.slice(folder.length)));
  return new Map(inside.map(({ path, bytes }) => [path.slice(folder.length), bytes]));
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What file managers leave in folders. */
function isHidden(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.'));
}
