/** From what somebody gave (a folder with `checkpoint` and `tile/…`, or its parts) to a log that can be read. */

import type { NewerLog } from './newer';
import { parseCheckpoint, parseNote } from './note';
import type { Picked } from './picked';
import { reason, refuse } from './shape';
import { fileName } from './trustFiles';

const CHECKPOINT = 'checkpoint';

/** A log that was given, and what its checkpoint claims, which no check has looked at. */
export interface GivenLog extends NewerLog {
  origin: string;
  size: number;
  /** Whether its entries were given too; else only its checkpoint was. */
  entries: boolean;
}

/** The log in these files. Its bundles are read one by one, when they are needed. Throws when there is no checkpoint. */
export async function logFiles(given: readonly Picked[]): Promise<GivenLog> {
  const files = byPath(given);
  const names = [...files.keys()].filter((path) => fileName(path) === CHECKPOINT).sort((left, right) => left.length - right.length);
  const found = names[0] ?? refuse('there is no `checkpoint` in what was given: give the folder in which `checkpoint` and `tile` stand');
  const folder = found.slice(0, -CHECKPOINT.length);
  const file = async (path: string): Promise<Uint8Array | undefined> => files.get(`${folder}${path}`)?.();
  const checkpoint = (await file(CHECKPOINT)) ?? refuse('the checkpoint cannot be read');
  const entries = [...files.keys()].some((path) => path.startsWith(`${folder}tile/entries/`));
  return { ...claimed(checkpoint), checkpoint, file, entries };
}

/** What a checkpoint claims. Throws when it is none. */
export function claimed(checkpoint: Uint8Array): { origin: string; size: number } {
  try {
    const { origin, root } = parseCheckpoint(parseNote(checkpoint).text);
    return { origin, size: root.size };
  } catch (error) {
    return refuse(`\`${CHECKPOINT}\` is no checkpoint of a log: ${reason(error)}`);
  }
}

/** What was given, by path. One file alone is the checkpoint, whatever it is called. */
function byPath(given: readonly Picked[]): Map<string, Picked['read']> {
  const [only, ...rest] = given;
  if (only !== undefined && rest.length === 0) return new Map([[CHECKPOINT, only.read]]);
  return new Map(given.map(({ path, read }) => [path, read]));
}
