/** The log: its checkpoint, and that every leaf of the bundle stands in it; and from leaves to streams of events. */

import type { Finding } from './checks';
import type { Files } from './container';
import { hex, type Bytes } from './digest';
import {
  readIdentityEvent,
  readLeaf,
  readPolicyEvent,
  readRequestEvent,
  type Content,
  type EventLeaf,
  type IdentityEvent,
  type PolicyEvent,
  type RequestEvent,
} from './events';
import { CHECKPOINT, leafPath, proofPath } from './layout';
import { allLeaves, type Manifest } from './manifest';
import { later, written } from './moment';
import { noteText, openCheckpoint, parseNote, parseProof, type Checkpoint, type Note, type VerifierKey } from './note';
import { reason, refuse } from './shape';
import { checkInclusion, leafHash } from './tree';
import type { TrustRoot } from './trust';
import { readTrustEvent, type TrustEvent } from './trustEvents';

/** How much earlier than the latest time before it an event may be dated: appends overtake each other by no more. */
const MAX_STEP_BACK_SECONDS = 300;

/** A leaf that was proved to stand in the log. */
export interface Leaf {
  bytes: Bytes;
  hash: Bytes;
}

export type Leaves = ReadonlyMap<number, Leaf>;
export type Contents = ReadonlyMap<number, Content>;

/** The checkpoint, with the note whose signature was verified. */
export interface Signed {
  checkpoint: Checkpoint;
  note: Note;
}

export async function checkpointSignature(files: Files, manifest: Manifest, key: VerifierKey, root: TrustRoot): Promise<Finding<Signed>> {
  try {
    const note = parseNote(files.get(CHECKPOINT) ?? refuse('`checkpoint` is missing'));
    const checkpoint = await openCheckpoint(note, key);
    const problems: string[] = [];
    if (checkpoint.origin !== manifest.origin) problems.push(`the bundle is of the log \`${manifest.origin}\`, the checkpoint of \`${checkpoint.origin}\``);
    problems.push(...afterItsEnd(checkpoint, root));
    const last = allLeaves(manifest).at(-1);
    if (last !== undefined && last >= checkpoint.root.size) problems.push(`the checkpoint covers ${checkpoint.root.size} leaves, not leaf ${last}`);
    return { value: { checkpoint, note }, problems };
  } catch (error) {
    return { value: undefined, problems: [reason(error)] };
  }
}

/** A life of the log that was closed says nothing after its end, whoever has its key. */
export function afterItsEnd({ origin, root: { size, hash } }: Checkpoint, { document }: TrustRoot): string[] {
  const closed = document.logs.find((log) => log.origin === origin)?.closed;
  if (closed === undefined || size < closed.size || (size === closed.size && hex(hash) === closed.root)) return [];
  return [
    `your trust directory says that the log \`${origin}\` ended with ${closed.size} leaves and root \`${closed.root}\`, and this is signed over ` +
      `${size} with another one: its history was cut, or its key was used after its end`,
  ];
}

/** Each leaf under one and the same checkpoint. Leaves that fail are left out for the checks after this one. */
export async function leafInclusion(files: Files, manifest: Manifest, { checkpoint, note }: Signed): Promise<Finding<Leaves>> {
  const leaves = new Map<number, Leaf>();
  const problems: string[] = [];
  const text = noteText(note);
  for (const index of allLeaves(manifest)) {
    try {
      leaves.set(index, await included(files, index, checkpoint, text));
    } catch (error) {
      problems.push(`leaf ${index}: ${reason(error)}`);
    }
  }
  return { value: leaves, problems };
}

async function included(files: Files, index: number, checkpoint: Checkpoint, text: string): Promise<Leaf> {
  const bytes = files.get(leafPath(index)) ?? refuse(`\`${leafPath(index)}\` is missing`);
  const proof = parseProof(files.get(proofPath(index)) ?? refuse(`\`${proofPath(index)}\` is missing`));
  if (proof.index !== index || proof.extra) refuse('its proof is of another leaf, or carries extra data');
  // One checkpoint for the whole bundle: leaves of different trees would prove nothing about each other.
  if (noteText(proof.checkpoint) !== text) refuse("its proof leads to another checkpoint than the bundle's");
  const hash = await leafHash(bytes);
  await checkInclusion(checkpoint.root, index, hash, proof.path);
  return { bytes, hash };
}

/** Reads each leaf as an event or as a `hashedrekord` entry. */
export function leafEncoding(leaves: Leaves): Finding<Contents> {
  const contents = new Map<number, Content>();
  const problems: string[] = [];
  for (const [index, leaf] of leaves) {
    try {
      contents.set(index, readLeaf(leaf.bytes));
    } catch (error) {
      problems.push(`leaf ${index}: ${reason(error)}`);
    }
  }
  return { value: contents, problems };
}

/** All events of the bundle by index, whatever their stream: each is held against the times before it. */
export function logTime(contents: Contents): string[] {
  const problems: string[] = [];
  let latest: { index: number; time: number } | undefined;
  for (const [index, content] of contents) {
    if (!('event' in content)) continue;
    const { time } = content.event;
    if (latest !== undefined && later(time, MAX_STEP_BACK_SECONDS) < latest.time) {
      problems.push(`leaf ${index} is dated ${written(time)}, leaf ${latest.index} before it ${written(latest.time)}`);
    }
    if (latest === undefined || time > latest.time) latest = { index, time };
  }
  return problems;
}

/** An event, and where it stands. */
export interface Recorded<E> {
  index: number;
  /** Time in its leaf. */
  at: number;
  /** Index of the attestation leaf directly after it, when there is one. */
  attestation: number | undefined;
  event: E;
  /** The leaf as it was read. */
  leaf: EventLeaf;
}

/** Every stream of the bundle, each in the order of the log. */
export interface Streams {
  request: Recorded<RequestEvent>[];
  /** All persons together. */
  identity: Recorded<IdentityEvent>[];
  policy: Recorded<PolicyEvent>[];
  trust: Recorded<TrustEvent>[];
}

/** Versions from 1 without gaps, each naming the hash of the one before; attestations directly after their event. */
export function streamContinuity(manifest: Manifest, leaves: Leaves, contents: Contents): Finding<Streams> {
  const problems: string[] = [];
  const reader = new StreamReader(leaves, contents, problems);
  const request = reader.stream(`request/${manifest.request}`, manifest.leaves, readRequestEvent);
  const identity: Recorded<IdentityEvent>[] = [];
  for (const [person, indices] of manifest.identity) {
    const stream = reader.stream(`identity/${person}`, indices, readIdentityEvent);
    for (const { index, event } of stream) {
      if (event.body.person !== person) problems.push(`leaf ${index}: it is about another person than its stream`);
    }
    identity.push(...stream);
  }
  identity.sort((left, right) => left.index - right.index);
  const policy = reader.stream('policy', manifest.policy, readPolicyEvent);
  const trust = reader.stream('trust', manifest.trust, readTrustEvent);
  return { value: { request, identity, policy, trust }, problems };
}

class StreamReader {
  private readonly leaves: Leaves;
  private readonly contents: Contents;
  private readonly problems: string[];

  constructor(leaves: Leaves, contents: Contents, problems: string[]) {
    this.leaves = leaves;
    this.contents = contents;
    this.problems = problems;
  }

  stream<E>(stream: string, indices: readonly number[], read: (leaf: EventLeaf) => E): Recorded<E>[] {
    const events: Recorded<E>[] = [];
    const head: Head = { version: 0, hash: undefined, index: undefined };
    for (const index of indices) {
      const content = this.contents.get(index);
      if (content === undefined) this.say(index, 'it was not proved or cannot be read');
      else if ('attestation' in content) this.attestation(index, head, events.at(-1));
      else if (content.event.stream !== stream) this.say(index, `it belongs to \`${content.event.stream}\`, not to \`${stream}\``);
      else {
        this.follow(index, content.event, head);
        try {
          events.push({ index, at: content.event.time, attestation: undefined, event: read(content.event), leaf: content.event });
        } catch (error) {
          this.say(index, `\`${content.event.kind}\` cannot be read: ${reason(error)}`);
        }
      }
    }
    return events;
  }

  /** An attestation belongs to the event directly before it. */
  private attestation(index: number, head: Head, last: Recorded<unknown> | undefined): void {
    if (last !== undefined && head.index !== undefined && head.index + 1 === index) last.attestation = index;
    else this.say(index, 'an attestation that follows no event of the stream');
  }

  private follow(index: number, leaf: EventLeaf, head: Head): void {
    const next = head.version + 1;
    if (leaf.version !== next) this.say(index, `version ${leaf.version} of \`${leaf.stream}\` where ${next} is next`);
    if (leaf.previous !== head.hash) this.say(index, '`previous` is not the event before it in its stream');
    const hash = this.leaves.get(index)?.hash;
    Object.assign(head, { version: leaf.version, hash: hash && hex(hash), index });
  }

  private say(index: number, problem: string): void {
    this.problems.push(`leaf ${index}: ${problem}`);
  }
}

interface Head {
  version: number;
  hash: string | undefined;
  index: number | undefined;
}
