/**
 * The four clocks, by the times in the log. What starts a clock is recorded at once, in the append of what it follows
 * from, so that no server can set one later than the people who signed would expect.
 */

import type { VerdictDocument } from './documents';
import { requestPhase, type Case, type Judgement } from './lifecycle';
import { later, secondsSince, written } from './moment';
import type { Asking } from './requester';
import { MAX_AGE_SECONDS, type Verdict } from './verdicts';

/** Each time that an event fixes must follow from the verdict, and each event be within the times fixed before it. */
export function approvalTime(subject: Case, asking: Asking, verdict: VerdictDocument, verdicts: readonly Verdict[], lastCounted: number | undefined): string[] {
  const judged = requestPhase(subject);
  const { submitted, judgement, approved } = subject;
  if (judged === undefined) return [];
  const problems: string[] = [];
  if (judged.at !== submitted.at) problems.push(`it was asked at ${written(submitted.at)}, and judged at ${written(judged.at)}`);
  if (judgement === undefined) return problems;
  problems.push(...terms(judgement, judged.at, asking, verdict));
  if (approved === undefined) return problems;
  if (approved.at >= judgement.lapses_at) problems.push(`it was approved at ${written(approved.at)}, when it had lapsed`);
  const complete = verdict.verdict === 'allow' ? judged.at : lastCounted;
  if (complete !== undefined && complete !== approved.at) problems.push(`it was approved at ${written(approved.at)}, yet complete at ${written(complete)}`);
  const latest = later(Math.max(approved.at, judgement.grant.not_before), verdict.constraints.approval_validity_seconds);
  if (approved.event.starts_by > latest) problems.push(`it may be started until ${written(approved.event.starts_by)}, later than ${written(latest)}`);
  return [...problems, ...grant(subject, judgement, verdicts)];
}

/** The grant's own clock. */
function grant({ approved, activated }: Case, judgement: Judgement, verdicts: readonly Verdict[]): string[] {
  if (approved === undefined || activated === undefined) return [];
  const problems: string[] = [];
  const { not_before, not_after, max_seconds } = judgement.grant;
  const { started_at: start, ends_at: end } = activated.event;
  // A clock that starts ahead of the log would end ahead of it as well; one behind it was started unseen.
  if (start !== activated.at) problems.push(`its grant starts at ${written(start)}, its leaf is dated ${written(activated.at)}`);
  if (start < not_before) problems.push(`its grant starts at ${written(start)}, before ${written(not_before)}`);
  if (start < approved.at) problems.push(`its grant starts at ${written(start)}, before it was approved`);
  const last = Math.min(approved.event.starts_by, not_after);
  if (activated.at >= last) problems.push(`its grant was started at ${written(activated.at)}, when ${written(last)} had passed`);
  // Policy asked again before the start can only shorten.
  const again = verdicts.filter(({ judged }) => judged.event.phase === 'issue' && judged.index < activated.index);
  const newest = again.at(-1)?.judged.at;
  if (newest !== undefined && secondsSince(activated.at, newest) > MAX_AGE_SECONDS) {
    problems.push(`its grant was started at ${written(activated.at)}, on a verdict of ${written(newest)}`);
  }
  const seconds = Math.min(max_seconds, ...again.map(({ document }) => document.constraints.grant_seconds));
  const latest = Math.min(later(start, seconds), not_after);
  if (end > latest) problems.push(`its grant ends at ${written(end)}, later than ${written(latest)}`);
  return problems;
}

/** The terms that the verdict leads to, at most. */
function terms({ grant, lapses_at }: Judgement, at: number, asking: Asking, { verdict, constraints }: VerdictDocument): string[] {
  const asked = asking.document.clocks;
  const lapses = later(at, constraints.pending_seconds);
  const lastStart = later(Math.max(lapses, grant.not_before), constraints.approval_validity_seconds);
  const seconds = Math.min(constraints.grant_seconds, asked.grant_seconds);
  const rules: [string, boolean][] = [
    ['it may wait longer than the verdict says', lapses_at <= lapses],
    ['the grant may last longer than verdict and request say', grant.max_seconds <= seconds],
    ['it may start earlier than was asked', asked.not_before === undefined || grant.not_before >= asked.not_before],
    ['something of it may be valid longer than the clocks add up to', grant.not_after <= later(lastStart, seconds)],
    ['terms stand under a denial', verdict !== 'deny'],
  ];
  return rules.filter(([, holds]) => !holds).map(([problem]) => problem);
}
