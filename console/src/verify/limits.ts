/** What the verifier's own trust directory demands, and what no check can show. */

import type { VerdictDocument } from './documents';
import type { Entitlement } from './entitlement';
import type { Approved, Seating } from './events';
import type { Versions } from './inForce';
import type { Case } from './lifecycle';
import type { Lineage } from './lineage';
import type { Recorded, Streams } from './log';
import type { Manifest } from './manifest';
import { moment, written } from './moment';
import type { VerifierKey } from './note';
import type { Asking } from './requester';
import type { TrustDocument, TrustRoot } from './trust';
import type { TrustEvent } from './trustEvents';
import type { Finding } from './checks';

/** Events that no signature stands under: the server says who did it. */
const ONLY_SAID = new Set(['request.cancelled', 'grant.ended', 'rollback.started']);

/** The key of the bundle's log, and the versions of the root in its life. */
export function trustRoot(lineage: Lineage, manifest: Manifest, now: number | undefined): Finding<{ key: VerifierKey; versions: Versions }> {
  const { logKeys, document } = lineage.newest;
  const key = logKeys.find((known) => known.name === manifest.origin);
  const versions = lineage.life(manifest.origin);
  if (key === undefined || versions === undefined) return { value: undefined, problems: [`your trust directory knows no log \`${manifest.origin}\``] };
  const problems: string[] = [];
  const { created_at, expires_at } = document;
  if (now !== undefined && now < created_at) problems.push('your trust directory is dated in the future');
  if (now !== undefined && now >= expires_at) problems.push(`your trust directory ended at ${written(expires_at)}: get the one that follows it`);
  return { value: { key, versions }, problems };
}

/** The versions, each in force from the leaf that says that it was sealed. */
export function inForce(versions: Versions, { trust }: Streams): Versions {
  return versions.sealedAt(trust.map(({ index, at, event }) => ({ version: event.body.version, index, at })));
}

/** A version had ended before an event of the request, or the log says otherwise than the trust directory what was sealed. */
export function trustProblems(lineage: Lineage, versions: Versions, origin: string, streams: Streams): string[] {
  const problems: string[] = [];
  const inForceAt = ({ index, at }: Recorded<unknown>): TrustDocument => versions.at(index, at).document;
  const late = streams.request.find((recorded) => recorded.at >= inForceAt(recorded).expires_at);
  if (late !== undefined) {
    const { version, expires_at } = inForceAt(late);
    problems.push(`version ${version} of your trust directory ended at ${written(expires_at)}, before leaf ${late.index}: get the one that follows it`);
  }
  for (const recorded of streams.trust) {
    const found = [beginsOtherwise(lineage, origin, recorded), sealedOtherwise(lineage, recorded, streams)];
    problems.push(...found.flatMap((problem) => (problem === undefined ? [] : [`leaf ${recorded.index}: ${problem}`])));
  }
  return problems;
}

/** What the log says was sealed must be what the verifier has; a later version than theirs is needed for what came after it. */
function sealedOtherwise(lineage: Lineage, { index, event }: Recorded<TrustEvent>, { request }: Streams): string | undefined {
  const { version, sha256 } = event.body;
  const known = lineage.version(version);
  if (known !== undefined && known.sha256 !== sha256) return `the log sealed another version ${version} than yours`;
  const later = request.find((recorded) => recorded.index > index);
  if (later === undefined || version <= lineage.newest.document.version) return undefined;
  return `version ${version} was sealed, and leaf ${later.index} came after it: get it, and see with \`chancery trust diff\` that it follows yours`;
}

/** A life of the log that follows another begins with where that one ended, as the trust root says it; no other does. */
function beginsOtherwise(lineage: Lineage, origin: string, { index, event }: Recorded<TrustEvent>): string | undefined {
  const { logs } = lineage.newest.document;
  const before = logs[logs.findIndex((log) => log.origin === origin) - 1];
  if (event.kind === 'trust.sealed') return before === undefined || index > 0 ? undefined : 'it does not say where the life of the log before it ended';
  if (before === undefined) return 'your trust directory knows no life of the log before this one';
  const { closed } = before;
  const stands = closed?.size === event.body.size && closed.root === event.body.root && before.origin === event.body.origin && index === 0;
  return stands ? undefined : 'it says otherwise than your trust directory where the life before it ended';
}

/**
 * The floor of the version that was in force at the approval, and of that at each credential: who was let through once is not
 * let through again when the floor was raised since.
 */
export function floorProblems(versions: Versions, subject: Case, asking: Asking, verdict: VerdictDocument, approved: Recorded<Approved>): string[] {
  const roots = new Set([approved, ...subject.intended].map(({ index, at }) => versions.at(index, at)));
  return [...roots].flatMap((root) => belowFloor(root, subject, asking, verdict, approved.event.seats));
}

/** What was granted, held against the floor of the entitlement. */
function belowFloor(root: TrustRoot, subject: Case, asking: Asking, verdict: VerdictDocument, seats: Seating): string[] {
  const { name } = asking.document.entitlement;
  const problems: string[] = [];
  if (!root.document.engines.includes(verdict.engine)) problems.push(`your trust directory does not list the engine \`${verdict.engine}\``);
  const floor = root.document.floors.get(name);
  if (floor === undefined) return [...problems, `your trust directory has no floor for \`${name}\`, so it cannot be granted`];
  const approvers = new Set([...seats.values()].flatMap((people) => [...people])).size;
  const seconds = subject.judgement?.grant.max_seconds ?? 0;
  const refusals: [boolean, string][] = [
    [verdict.verdict === 'deny', 'policy denied it, which no floor lets through'],
    [verdict.verdict === 'allow' && !floor.allow, 'policy may not allow this entitlement without approvers'],
    [verdict.verdict === 'require_approval' && approvers < floor.minimum_approvers, `${approvers} people approved where the floor wants ${floor.minimum_approvers}`],
    [seconds > floor.maximum_seconds, `the grant lasts ${seconds} seconds where the floor ends at ${floor.maximum_seconds}`],
  ];
  const first = refusals.find(([refused]) => refused);
  return first === undefined ? problems : [...problems, first[1]];
}

/** What witnesses saw, when any were demanded. */
export interface Witnessed {
  required: boolean;
  completeAt: bigint | undefined;
}

/** What nothing in the bundle proves, in the words of `chancery verify`. */
export function notProved(witnessed: Witnessed | undefined, entitlement: Entitlement | undefined, streams: Streams, newerLog: boolean): string[] {
  return [
    "what the approvers' eyes saw when they signed",
    ...(entitlement?.independentDisplay === true ? ['that the page on which they signed was served apart from the server'] : []),
    ...(witnessed?.required === true ? [witnessedTime(witnessed)] : UNWITNESSED),
    ...(newerLog ? [] : WITHOUT_NEWER_LOG),
    ...streams.request
      .filter(({ event }) => ONLY_SAID.has(event.kind))
      .map(({ index, event }) => `that the person named in \`${event.kind}\` at leaf ${index} did that: the server says so`),
    'that the signals in the input were true: their sources did not sign them',
    'that the approvers did not act together against you',
  ];
}

const WITHOUT_NEWER_LOG = [
  'that nothing came after this bundle, such as a revocation: give a newer log with --log',
  'that no event was left off the end of a stream of identity, policy or request, before the checkpoint or ' +
    'after it, such as a suspension before a decision, and that no stream has two versions: give a newer log with --log',
];

const UNWITNESSED = [
  'that the log showed everybody the same: your policy.txt demands no witness',
  "when anything happened: all times are the server's own, seen by no witness",
  'that server and issuer were apart: nothing that a witness cosigned shows it, and in a single process ' +
    'whoever steals that process steals both',
];

function witnessedTime({ completeAt }: Witnessed): string {
  try {
    const seen = written(Number(completeAt));
    moment(seen);
    return `when each event happened; only that all of it did before ${seen}, when enough witnesses had seen it`;
  } catch {
    return 'when each event happened';
  }
}
