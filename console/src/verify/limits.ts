/** What the verifier's own trust directory demands, and what no check can show. */

import type { VerdictDocument } from './documents';
import type { Entitlement } from './entitlement';
import type { Seating } from './events';
import type { Case } from './lifecycle';
import type { Streams } from './log';
import type { Manifest } from './manifest';
import { moment, written } from './moment';
import type { VerifierKey } from './note';
import type { Asking } from './requester';
import type { TrustRoot } from './trust';
import type { Finding } from './checks';

/** Events that no signature stands under: the server says who did it. */
const ONLY_SAID = new Set(['request.cancelled', 'grant.ended', 'rollback.started']);

export function trustRoot(root: TrustRoot, manifest: Manifest, now: number | undefined): Finding<VerifierKey> {
  const key = root.logKeys.find((known) => known.name === manifest.origin);
  if (key === undefined) return { value: undefined, problems: [`your trust directory knows no log \`${manifest.origin}\``] };
  const problems: string[] = [];
  const { created_at, expires_at } = root.document;
  // People sign for one life of the log; an older one needs the trust directory of its time.
  if (manifest.origin !== root.logOrigin) problems.push(`your trust directory is of the log's later life \`${root.logOrigin}\``);
  if (now !== undefined && now < created_at) problems.push('your trust directory is dated in the future');
  if (now !== undefined && now >= expires_at) problems.push(`your trust directory ended at ${written(expires_at)}: get the one that follows it`);
  return { value: key, problems };
}

/** The trust directory had ended before an event of the request, or the log sealed another one under its version. */
export function trustProblems(root: TrustRoot, streams: Streams): string[] {
  const { expires_at, version } = root.document;
  const problems: string[] = [];
  const late = streams.request.find((recorded) => recorded.at >= expires_at);
  if (late !== undefined) problems.push(`your trust directory ended at ${written(expires_at)}, before leaf ${late.index}: get the one that follows it`);
  const otherwise = streams.trust.find(({ event }) => event.body.version === version && event.body.sha256 !== root.sha256);
  if (otherwise !== undefined) problems.push(`leaf ${otherwise.index}: the log sealed another trust.json under the version of yours`);
  return problems;
}

/** What was granted, held against the floor of the entitlement. */
export function floorProblems(root: TrustRoot, subject: Case, asking: Asking, verdict: VerdictDocument, seats: Seating): string[] {
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
export function notProved(witnessed: Witnessed | undefined, entitlement: Entitlement | undefined, streams: Streams): string[] {
  return [
    "what the approvers' eyes saw when they signed",
    ...(entitlement?.independentDisplay === true ? ['that the page on which they signed was served apart from the server'] : []),
    ...(witnessed?.required === true ? [witnessedTime(witnessed)] : UNWITNESSED),
    'that nothing came after this bundle, such as a revocation: give a newer log with --log',
    'that no event was left off the end of a stream of identity, policy or request, before the checkpoint or ' +
      'after it, such as a suspension before a decision, and that no stream has two versions: give a newer log with --log',
    ...streams.request
      .filter(({ event }) => ONLY_SAID.has(event.kind))
      .map(({ index, event }) => `that the person named in \`${event.kind}\` at leaf ${index} did that: the server says so`),
    'that the signals in the input were true: their sources did not sign them',
    'that the approvers did not act together against you',
  ];
}

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
