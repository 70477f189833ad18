/** Which witnesses a verifier demands (c2sp.org/tlog-policy), and whether they cosigned (tlog-cosignature, version 1). */

import { concat, equal, utf8 } from './digest';
import { verifyEd25519 } from './keys';
import {
  checkNote,
  COSIGNATURE,
  decimal,
  ED25519,
  isOrigin,
  keyText,
  openCheckpoint,
  parseVerifierKey,
  signatureBy,
  type Checkpoint,
  type Note,
  type VerifierKey,
} from './note';
import { reason, refuse } from './shape';

const MAX_POLICY_BYTES = 64 * 1024;
const MAX_LINES_OF_A_KIND = 64;

interface Log {
  key: VerifierKey;
  url: string | undefined;
}

interface Witness extends Log {
  name: string;
}

interface Group {
  name: string;
  threshold: string;
  members: string[];
}

/** `policy.txt`. */
export interface WitnessPolicy {
  logs: Log[];
  witnesses: Witness[];
  groups: Group[];
  /** A witness or group; `none` when no witness is demanded. */
  quorum: string;
}

/** A checkpoint that a policy accepts. */
export interface Accepted {
  checkpoint: Checkpoint;
  /** When the quorum was complete, by the witnesses' clocks, in seconds since 1970. */
  quorumTime: bigint | undefined;
}

export async function parsePolicy(text: string): Promise<WitnessPolicy> {
  if (utf8(text).length > MAX_POLICY_BYTES || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(text) || !text.endsWith('\n')) {
    refuse(`a policy is lines of text, each ended by a newline, of at most ${MAX_POLICY_BYTES} bytes in all`);
  }
  const reader = new PolicyReader();
  for (const [place, line] of text.slice(0, -1).split('\n').entries()) {
    try {
      await reader.line(line.split(/[ \t]/).filter((word) => word !== ''));
    } catch (error) {
      refuse(`line ${place + 1} of the policy: ${reason(error)}`);
    }
  }
  return reader.policy();
}

class PolicyReader {
  private readonly logs: Log[] = [];
  private readonly witnesses: Witness[] = [];
  private readonly groups: Group[] = [];
  private readonly members = new Set<string>();
  private quorum: string | undefined;

  async line(words: string[]): Promise<void> {
    const [kind, ...rest] = words;
    if (kind === undefined || kind.startsWith('#')) return;
    if (kind === 'log' && (rest.length === 1 || rest.length === 2)) return this.log(rest[0] ?? '', rest[1]);
    if (kind === 'witness' && (rest.length === 2 || rest.length === 3)) return this.witness(rest[0] ?? '', rest[1] ?? '', rest[2]);
    if (kind === 'group' && rest.length >= 2) return this.group(rest[0] ?? '', rest[1] ?? '', rest.slice(2));
    if (kind === 'quorum' && rest.length === 1) return this.setQuorum(rest[0] ?? '');
    refuse('write `log VKEY`, `witness NAME VKEY`, `group NAME any|all|COUNT NAME…` or `quorum NAME`');
  }

  policy(): WitnessPolicy {
    const { logs, witnesses, groups } = this;
    const quorum = this.quorum ?? refuse('the policy has no quorum line; write `quorum none` if no witness is demanded');
    return { logs, witnesses, groups, quorum };
  }

  private async log(text: string, url: string | undefined): Promise<void> {
    const key = await parseVerifierKey(text);
    if (!isOrigin(key.name) || key.type !== ED25519) refuse("a log's key is of type 0x01 and named by a host");
    this.add(this.logs, { key, url });
  }

  private async witness(name: string, text: string, url: string | undefined): Promise<void> {
    const key = await parseVerifierKey(text);
    if (key.type !== COSIGNATURE) refuse("a witness's key is of type 0x04");
    this.checkNewName(name);
    this.add(this.witnesses, { name, key, url });
  }

  private add<T extends Log>(known: T[], one: T): void {
    if (known.some((other) => equal(other.key.publicKey, one.key.publicKey))) refuse('another line has the same public key; a key counts once');
    known.push(one);
    checkCount(known);
  }

  private group(name: string, threshold: string, members: string[]): void {
    this.checkNewName(name);
    const count = decimal(threshold);
    const meant = threshold === 'any' || threshold === 'all' || (count !== undefined && count >= 1 && count <= members.length);
    if (!meant || members.length === 0) refuse(`the threshold is \`any\`, \`all\`, or a number from 1 to ${members.length}`);
    for (const member of members) {
      this.checkDefined(member);
      // One way only for each witness to contribute, so no witness counts twice.
      if (this.members.has(member)) refuse(`\`${member}\` is a member of a group already; a witness counts once`);
      this.members.add(member);
    }
    this.groups.push({ name, threshold, members });
    checkCount(this.groups);
  }

  private setQuorum(name: string): void {
    if (this.quorum !== undefined) refuse('the policy has a quorum line already; keep one');
    if (name !== 'none') this.checkDefined(name);
    this.quorum = name;
  }

  private checkNewName(name: string): void {
    if (name === 'none' || this.isDefined(name)) refuse(`the name \`${name}\` is taken; choose another`);
  }

  private checkDefined(name: string): void {
    if (!this.isDefined(name)) refuse(`\`${name}\` is no witness or group of the lines above; define it first`);
  }

  private isDefined(name: string): boolean {
    return [...this.witnesses, ...this.groups].some((known) => known.name === name);
  }
}

function checkCount(lines: readonly unknown[]): void {
  if (lines.length > MAX_LINES_OF_A_KIND) refuse(`more than ${MAX_LINES_OF_A_KIND} lines of this kind`);
}

/** The policy in its plain form, without comments and additional spaces. */
export function policyText(policy: WitnessPolicy): string {
  const address = (url: string | undefined): string => (url === undefined ? '' : ` ${url}`);
  return [
    ...policy.logs.map(({ key, url }) => `log ${keyText(key)}${address(url)}`),
    ...policy.witnesses.map(({ name, key, url }) => `witness ${name} ${keyText(key)}${address(url)}`),
    ...policy.groups.map(({ name, threshold, members }) => `group ${name} ${threshold} ${members.join(' ')}`),
    `quorum ${policy.quorum}`,
    '',
  ].join('\n');
}

/** Throws unless a log of the policy signed the checkpoint and its quorum cosigned it. */
export async function accept(policy: WitnessPolicy, note: Note): Promise<Accepted> {
  const origin = note.text.split('\n')[0] ?? '';
  let signer: VerifierKey | undefined;
  for (const { key } of policy.logs) {
    if (signatureBy(note, key) === undefined) continue;
    await checkNote(note, key);
    if (key.name === origin) signer ??= key;
  }
  if (signer === undefined) return refuse(`no log of the policy has signed as \`${origin.slice(0, 80)}\``);
  const seen: { name: string; time: bigint }[] = [];
  for (const { name, key } of policy.witnesses) {
    const time = await cosigned(note, key);
    if (time !== undefined) seen.push({ name, time });
  }
  const quorumTime = quorumTimeOf(policy, seen);
  return { checkpoint: await openCheckpoint(note, signer), quorumTime };
}

/** When this witness says it saw the checkpoint; `undefined` when it did not cosign. */
async function cosigned(note: Note, key: VerifierKey): Promise<bigint | undefined> {
  const line = signatureBy(note, key);
  if (line === undefined) return undefined;
  const bad = `the signature of \`${key.name}\` is not over this text; the note was changed or forged`;
  if (line.bytes.length < 8) return refuse(bad);
  const time = new DataView(line.bytes.buffer, line.bytes.byteOffset).getBigUint64(0);
  if (time >= 1n << 63n) refuse(`a cosignature's time of ${time} seconds is over the limit of 2^63 - 1`);
  const signed = await verifyEd25519(key.publicKey, concat(utf8(`cosignature/v1\ntime ${time}\n`), utf8(note.text)), line.bytes.subarray(8));
  return signed ? time : refuse(bad);
}

/** The earliest time at which the quorum was complete. */
function quorumTimeOf(policy: WitnessPolicy, seen: { name: string; time: bigint }[]): bigint | undefined {
  if (policy.quorum === 'none') return undefined;
  const byTime = [...seen].sort((left, right) => (left.time === right.time ? (left.name < right.name ? -1 : 1) : left.time < right.time ? -1 : 1));
  const names = new Set<string>();
  for (const { name, time } of byTime) {
    names.add(name);
    if (withGroups(policy, names).has(policy.quorum)) return time;
  }
  return refuse(`the quorum \`${policy.quorum}\` has not cosigned; ask the log for more cosignatures`);
}

function withGroups(policy: WitnessPolicy, witnesses: ReadonlySet<string>): Set<string> {
  const seen = new Set(witnesses);
  for (const { name, threshold, members } of policy.groups) {
    const needed = threshold === 'any' ? 1 : threshold === 'all' ? members.length : Number(threshold);
    if (members.filter((member) => seen.has(member)).length >= needed) seen.add(name);
  }
  return seen;
}
