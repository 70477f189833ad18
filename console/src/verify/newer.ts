/** A newer log: that this one is its beginning, that nothing was cut off the bundle's streams, and what came after. */

import { Chain } from './chain';
import type { Finding } from './checks';
import { equal, fromHex, hex, type Bytes } from './digest';
import { entriesOf, entriesPath, wholePath, WIDTH } from './entries';
import { readLeaf, type EventLeaf } from './events';
import type { Versions } from './inForce';
import { afterItsEnd } from './log';
import { allLeaves, type Manifest } from './manifest';
import { parseNote, type Checkpoint } from './note';
import { reason, refuse } from './shape';
import { GrowingTree, leafHash, type Root } from './tree';
import type { TrustRoot } from './trust';
import { readTrustEvent } from './trustEvents';
import { accept } from './witness';

/** A log that may be newer than the one in the bundle. */
export interface NewerLog {
  /** Its signed checkpoint, with cosignatures. Pin one that you got from somebody you trust. */
  checkpoint: Uint8Array;
  /** The bytes at a path of the layout, such as `tile/entries/000`; `undefined` when there are none. May throw. */
  file: (path: string) => Promise<Uint8Array | undefined>;
}

/** An event of the bundle's streams that came after the bundle. */
export interface LaterEvent {
  /** Index of its leaf. */
  index: number;
  stream: string;
  /** Its kind, such as `grant.revoked`. */
  kind: string;
  /** Time in its leaf. */
  at: number;
}

/** What the bundle says, held against the newer log. */
export interface Held {
  manifest: Manifest;
  checkpoint: Checkpoint;
  root: TrustRoot;
  /** The versions of the root in this life of the log. */
  versions: Versions;
  /** Checkpoints that decisions name, with the leaf of the decision. */
  named: { size: number; root: string; leaf: number }[];
}

/** Hashes the whole newer log, so that one pass shows its root, the older root and the roots in decisions. */
export async function newerLog(held: Held, newer: NewerLog): Promise<Finding<LaterEvent[]>> {
  const failed = (...problems: string[]): Finding<LaterEvent[]> => ({ value: undefined, problems });
  let checkpoint: Checkpoint;
  try {
    ({ checkpoint } = await accept(held.root.witnessPolicy, parseNote(newer.checkpoint)));
  } catch (error) {
    return failed(`the newer checkpoint: ${reason(error)}`);
  }
  const [size, ours] = [checkpoint.root.size, held.checkpoint.root.size];
  if (checkpoint.origin !== held.checkpoint.origin) return failed('the newer checkpoint is of another log');
  if (size < ours) return failed(`the log given has ${size} leaves, fewer than the ${ours} of the bundle: it is the older one, or was cut`);
  const ended = afterItsEnd(checkpoint, held.root);
  return ended.length > 0 ? failed(...ended) : new Walk(held, newer, checkpoint.root).all();
}

/** One pass over the newer log. */
class Walk {
  private readonly newer: NewerLog;
  private readonly size: number;
  private readonly tree = new GrowingTree();
  private readonly seen: Seen;
  /** Roots that the tree must have at a size, and what is said when it has another. */
  private readonly wanted = new Map<number, { hash: Bytes; said: string }[]>();
  private readonly problems: string[] = [];

  constructor(held: Held, newer: NewerLog, root: Root) {
    this.newer = newer;
    this.size = root.size;
    this.seen = new Seen(held);
    this.want(held.checkpoint.root, "the newer log does not contain the bundle's");
    this.want(root, "the newer log's leaves are not those of its checkpoint");
    for (const { size, root: named, leaf } of held.named) {
      const hash = fromHex(named) ?? refuse(`leaf ${leaf}: the decision names no digest`);
      this.want({ size, hash }, `leaf ${leaf}: the decision names a checkpoint that is not of this log`);
    }
  }

  async all(): Promise<Finding<LaterEvent[]>> {
    await this.compare();
    while (this.tree.size < this.size) {
      const [start, end] = [this.tree.size, Math.min(this.tree.size + WIDTH, this.size)];
      try {
        await this.take(await this.entries(start, end));
      } catch (error) {
        return { value: undefined, problems: [...this.problems, `a leaf from ${start} to ${end} of the newer log cannot be read: ${reason(error)}`] };
      }
    }
    return { value: this.seen.later, problems: [...this.problems, ...this.seen.problems] };
  }

  private want({ size, hash }: Root, said: string): void {
    this.wanted.set(size, [...(this.wanted.get(size) ?? []), { hash, said }]);
  }

  private async entries(start: number, end: number): Promise<Bytes[]> {
    const path = entriesPath(start, this.size);
    // A bundle that was not full may have become so.
    const bundle = (await this.newer.file(path)) ?? (await this.newer.file(wholePath(start))) ?? refuse(`\`${path}\` is missing`);
    const entries = entriesOf(bundle).slice(0, end - start);
    return entries.length === end - start ? entries : refuse(`\`${path}\` has ${entries.length} entries`);
  }

  private async take(entries: readonly Bytes[]): Promise<void> {
    const hashes = await Promise.all(entries.map(leafHash));
    for (const [place, hash] of hashes.entries()) {
      await this.seen.leaf(this.tree.size, entries[place] ?? new Uint8Array(), hash);
      await this.tree.append(hash);
      await this.compare();
    }
  }

  private async compare(): Promise<void> {
    const wanted = this.wanted.get(this.tree.size);
    if (wanted === undefined) return;
    const { hash } = await this.tree.root();
    this.problems.push(...wanted.filter((one) => !equal(one.hash, hash)).map(({ said }) => said));
  }
}

/** What the events of the newer log came to so far. */
class Seen {
  readonly later: LaterEvent[] = [];
  readonly problems: string[] = [];
  private readonly held: Held;
  private readonly listed: ReadonlySet<number>;
  private readonly streams: ReadonlySet<string>;
  /** Version and hash of the last event of each of these streams. */
  private readonly heads = new Map<string, { version: number; hash: string }>();
  /** All people of the log, those too of whom the bundle does not speak. */
  private readonly chain: Chain;

  constructor(held: Held) {
    const { manifest } = held;
    this.held = held;
    this.listed = new Set(allLeaves(manifest));
    this.streams = new Set([...[...manifest.identity.keys()].map((person) => `identity/${person}`), `request/${manifest.request}`, 'policy']);
    this.chain = new Chain(held.versions);
  }

  async leaf(index: number, bytes: Bytes, hash: Bytes): Promise<void> {
    const event = eventOf(bytes);
    if (event === undefined) return;
    const within = index < this.held.checkpoint.root.size;
    if (within) await this.people(index, event, hash);
    if (!this.streams.has(event.stream)) return;
    this.continues(index, event, hash);
    if (this.listed.has(index)) return;
    // The policy may have moved on before the checkpoint; what counts is which one was active at the verdicts.
    const movedOn = event.stream === 'policy' && index > (this.held.manifest.leaves.at(-1) ?? Infinity);
    if (within && !movedOn) this.say(index, `\`${event.kind}\` of \`${event.stream}\` stands in the log and was left out of the bundle`);
    else this.later.push({ index, stream: event.stream, kind: event.kind, at: event.time });
  }

  private async people(index: number, event: EventLeaf, hash: Bytes): Promise<void> {
    if (event.stream === 'trust') {
      const version = sealedVersion(event);
      if (version !== undefined) this.chain.sealedAt({ version, index, at: event.time });
    }
    if (!event.stream.startsWith('identity/')) return;
    // INVARIANT: one chain over everybody, since who must sign depends on people of whom the bundle may not speak, and a
    // stream that was forked or left out shows only here.
    try {
      await this.chain.admit(index, event, hash);
    } catch (error) {
      this.say(index, `\`${event.kind}\` of \`${event.stream}\`: ${reason(error)}`);
    }
  }

  /** Each event of a stream follows the one before it, in the newer log as well. */
  private continues(index: number, { stream, version, previous }: EventLeaf, hash: Bytes): void {
    const before = this.heads.get(stream);
    this.heads.set(stream, { version, hash: hex(hash) });
    if (version === (before?.version ?? 0) + 1 && previous === before?.hash) return;
    this.say(index, `version ${version} of \`${stream}\` does not follow the event before it: the stream was forked`);
  }

  private say(index: number, problem: string): void {
    this.problems.push(`leaf ${index}: ${problem}`);
  }
}

/** The event in a leaf; `undefined` for an attestation, and for what cannot be read, which is no event of anybody. */
function eventOf(bytes: Bytes): EventLeaf | undefined {
  try {
    const content = readLeaf(bytes);
    return 'event' in content ? content.event : undefined;
  } catch {
    return undefined;
  }
}

function sealedVersion(event: EventLeaf): number | undefined {
  try {
    return readTrustEvent(event).body.version;
  } catch {
    return undefined;
  }
}
