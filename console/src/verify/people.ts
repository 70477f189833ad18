/** The people and keys behind every signature of the bundle, at each position of the log. */

import { Chain } from './chain';
import type { Finding } from './checks';
import { Directory } from './directory';
import type { Versions } from './inForce';
import type { Leaves, Streams } from './log';
import { written } from './moment';
import { reason } from './shape';
import { RecoveryRefusal } from './signer';

/** Who existed at each position of the log, by identity events that were found to be authorised. */
export class Directories {
  private readonly after: [number, Directory][] = [];

  /** Everybody after the leaf at this index, which is above all earlier ones. */
  add(index: number, directory: Directory): void {
    this.after.push([index, directory]);
  }

  /** Who existed just before the leaf at this index. */
  before(index: number): Directory {
    return this.after.findLast(([at]) => at < index)?.[1] ?? new Directory();
  }
}

/** Everyone, and what was signed by keys of a recovery that did not count. */
export interface People {
  directories: Directories;
  recoveryProblems: string[];
}

/**
 * Folds all identity events in the order of the log. One that is refused is left out, so that whoever it was about does
 * not exist, or does not hold what it would have given, for all checks after this one.
 */
export async function identityChain(versions: Versions, streams: Streams, leaves: Leaves): Promise<Finding<People>> {
  const chain = new Chain(versions);
  const people: People = { directories: new Directories(), recoveryProblems: [] };
  const problems: string[] = [];
  for (const { index, leaf } of streams.identity) {
    const hash = leaves.get(index)?.hash;
    if (hash === undefined) continue;
    try {
      await chain.admit(index, leaf, hash);
      people.directories.add(index, chain.directory);
    } catch (error) {
      problems.push(`leaf ${index}: ${reason(error)}`);
      if (error instanceof RecoveryRefusal) people.recoveryProblems.push(`leaf ${index}: ${reason(error)}`);
    }
  }
  return { value: people, problems };
}

/** Recoveries in the bundle's streams, with what a reader has to know of each: its day is as long as the log's own times say. */
export function recoveries(streams: Streams): string[] {
  const recovered = streams.identity.filter(
    ({ event }) => event.kind === 'person.recovered' || (event.kind === 'person.created' && event.body.authority.by === 'recovery_keys'),
  );
  return recovered.map(
    ({ index, at, event }) =>
      `that a day passed after the recovery of person \`${event.body.person}\` (leaf ${index}, ${written(at)}) before their new passkey ` +
      "counted, other than by the log's own times, and that those who signed it knew whom they let back in",
  );
}
