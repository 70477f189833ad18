/** The request's stream, replayed by the rules by which requests move, and sorted into what each later check needs. */

import type { Finding } from './checks';
import { decisionDocument, decode, type DecisionKind, type GrantTerms } from './documents';
import type { Activated, Approved, DecisionRecorded, Judged, LeaseIntended, LeaseIssued, LeaseRevoked, RequestEvent, Submitted } from './events';
import type { Recorded } from './log';

/** What is asked in one revision. */
export interface Asked {
  id: string;
  revision: number;
  request_sha256: string;
  requester: string;
  beneficiary: string;
  entitlement: string;
}

/** What the request-phase verdict fixed. */
export interface Judgement {
  verdict_sha256: string;
  policy_sha256: string;
  grant: GrantTerms;
  lapses_at: number;
}

/** So many wrong digits, of all approvers together, reject a revision. */
const MAX_MISMATCHES = 3;
const NUMBER_MISMATCH = 'number_mismatch';

type LeaseStatus = 'intended' | 'issued' | 'revoked';

/** Where a request stands; `completed` is kept apart from other ends because it can be rolled back. */
interface State {
  name: 'evaluating' | 'denied' | 'pending' | 'approved' | 'active' | 'unknown' | 'rolling_back' | 'completed' | 'ended';
  asked: Asked;
  /** Who took an approval back, or revoked: nothing may start after that. */
  takenBack: ReadonlySet<string>;
  /** Who gave wrong digits while it waited, and how often. */
  mismatches: ReadonlyMap<string, number>;
  /** How it ended, in the words of the product. */
  ending?: string;
  leases: ReadonlyMap<string, LeaseStatus>;
}

/** A decision, and what stood when it was recorded. */
export interface DecisionPlace {
  recorded: Recorded<DecisionRecorded>;
  asked: Asked;
  judgement: Judgement | undefined;
}

/** One request as its stream tells it. What is of an earlier revision is void and only kept where said. */
export interface Case {
  id: string;
  asked: Asked;
  /** The current revision. */
  submitted: Recorded<Submitted>;
  /** Verdicts on the current revision. */
  judged: Recorded<Judged>[];
  /** What the request-phase verdict fixed, unless it was a denial. */
  judgement: Judgement | undefined;
  /** All decisions, those of earlier revisions too. */
  decisions: DecisionPlace[];
  approved: Recorded<Approved> | undefined;
  activated: Recorded<Activated> | undefined;
  intended: Recorded<LeaseIntended>[];
  issued: Recorded<LeaseIssued>[];
  revoked: Recorded<LeaseRevoked>[];
  /** Name of the state after the last event. */
  state: string;
}

/** The verdict of the request phase on the current revision. */
export function requestPhase(subject: Case): Recorded<Judged> | undefined {
  return subject.judged.find((judged) => judged.event.phase === 'request');
}

/** Whether a decision is about the current revision. */
export function isCurrent(subject: Case, { asked }: DecisionPlace): boolean {
  return asked.revision === subject.asked.revision && asked.request_sha256 === subject.asked.request_sha256;
}

/** Replays the stream. The first event that does not fit ends the replay: after it nothing means anything. */
export async function streamLifecycle(id: string, requestSha256: string, events: Recorded<RequestEvent>[]): Promise<Finding<Case>> {
  const problems: string[] = [];
  let state: State | undefined;
  let subject: Case | undefined;
  let previous: RequestEvent | undefined;
  for (const recorded of events) {
    const after = follow(id, state, recorded.event);
    if (after === undefined) {
      problems.push(`leaf ${recorded.index}: event \`${recorded.event.kind}\` cannot follow state \`${state?.name ?? 'none'}\``);
      break;
    }
    const problem = unfounded(recorded, previous, subject);
    if (problem !== undefined) problems.push(`leaf ${recorded.index}: ${problem}`);
    subject = takeIn(subject, state, after, recorded);
    [state, previous] = [after, recorded.event];
  }
  if (subject === undefined) return { value: undefined, problems: [...problems, 'the request was never submitted'] };
  if (subject.asked.request_sha256 !== requestSha256) problems.push('`evidence.json` is about another revision than the current one');
  for (const [place, { index, at }] of events.entries()) {
    const earlier = events[place - 1];
    if (earlier !== undefined && at < earlier.at) problems.push(`leaf ${index} is dated before leaf ${earlier.index}`);
  }
  return { value: subject, problems };
}

function follow(id: string, state: State | undefined, event: RequestEvent): State | undefined {
  if (state === undefined) return event.kind === 'request.submitted' && event.body.revision === 1 ? evaluating(id, event.body) : undefined;
  switch (event.kind) {
    case 'request.submitted':
      return undefined;
    case 'request.revised':
      return revised(id, state, event.body);
    case 'request.judged':
      return judged(state, event.body);
    case 'decision.recorded':
      return decided(state, event.body);
    case 'decision.refused':
      return refused(state, event.body);
    case 'request.mismatched':
      return mismatched(state, event.body.person);
    // A redaction changes what is known, never where the request stands.
    case 'redaction.made':
      return state;
    case 'request.approved':
      return state.name === 'pending' && event.body.revision === state.asked.revision ? { ...state, name: 'approved' } : undefined;
    case 'request.rejected':
    case 'request.cancelled':
    case 'request.lapsed':
      return endBeforeStart(state, event.kind.slice('request.'.length));
    case 'grant.activated':
      return state.name === 'approved' && state.takenBack.size === 0 ? { ...state, name: 'active', leases: new Map() } : undefined;
    case 'lease.intended':
    case 'lease.issued':
    case 'lease.revoked':
      return leaseMoved(state, event.kind, event.body.lease);
    case 'grant.expired':
      return endActive(state, 'ended', 'expired');
    case 'grant.ended':
      return endActive(state, 'completed');
    case 'grant.revoked':
      // An approval withdrawn before it started is revoked as well: nothing of it may start.
      return state.name === 'approved' ? endBeforeStart(state, 'revoked') : endActive(state, 'ended', 'revoked');
    case 'execution.finished':
      return executed(state, event.body.outcome);
    case 'rollback.started':
      return state.name === 'completed' ? { ...state, name: 'rolling_back' } : endActive(state, 'rolling_back');
    case 'rollback.finished':
      return state.name === 'rolling_back' ? { ...state, name: 'ended', ending: event.body.applied ? 'rolled_back' : 'rollback_failed' } : undefined;
  }
}

function evaluating(id: string, body: Submitted): State {
  const { revision, request_sha256, requester, beneficiary, entitlement } = body;
  return { name: 'evaluating', asked: { id, revision, request_sha256, requester, beneficiary, entitlement }, takenBack: new Set(), mismatches: new Map(), leases: new Map() };
}

function revised(id: string, state: State, body: Submitted): State | undefined {
  // A request stays its requester's; only what is asked may change.
  const waits = state.name === 'pending' || state.name === 'approved';
  const same = body.revision === state.asked.revision + 1 && body.requester === state.asked.requester;
  return waits && same ? evaluating(id, body) : undefined;
}

function judged(state: State, { revision, phase, outcome, grant, lapses_at }: Judged): State | undefined {
  if (revision !== state.asked.revision) return undefined;
  const denied = outcome === 'deny';
  switch (phase) {
    case 'request':
      if (state.name !== 'evaluating') return undefined;
      if (denied) return { ...state, name: 'denied' };
      return grant !== undefined && lapses_at !== undefined ? { ...state, name: 'pending' } : undefined;
    case 'approve':
      if (state.name !== 'pending') return undefined;
      return denied ? { ...state, name: 'denied' } : state;
    case 'issue':
      if (state.name === 'approved') return denied ? { ...state, name: 'denied' } : state;
      // A deny while active refuses that credential; ending the grant is a command of its own.
      return state.name === 'active' ? state : undefined;
    case 'runtime':
      return denied && state.name === 'active' ? state : undefined;
    case 'change':
      return undefined;
  }
}

function decided(state: State, { document }: DecisionRecorded): State | undefined {
  const signed = kindOf(document);
  if (signed === undefined) return undefined;
  const { decision, approver } = signed;
  const [takenBack, waits] = [new Set(state.takenBack), state.name === 'pending'];
  // A withdrawn approval no longer counts while nothing was approved, and its author may decide anew.
  if (waits && decision === 'withdraw') takenBack.delete(approver);
  else if (decision === 'revoke' || decision === 'withdraw') takenBack.add(approver);
  const open = waits || state.name === 'approved' || state.name === 'active' || state.name === 'unknown';
  return open ? { ...state, takenBack } : undefined;
}

/** A refused decision moves nothing; wrong digits are counted. */
function refused(state: State, { person, code }: { person: string; code: string }): State {
  if (state.name !== 'pending' || code !== NUMBER_MISMATCH) return state;
  return { ...state, mismatches: new Map([...state.mismatches, [person, (state.mismatches.get(person) ?? 0) + 1]]) };
}

/** INVARIANT: only so many logged mismatches end a request, and in the name of somebody who made one. */
function mismatched(state: State, person: string): State | undefined {
  const count = [...state.mismatches.values()].reduce((sum, each) => sum + each, 0);
  const enough = state.name === 'pending' && count >= MAX_MISMATCHES && state.mismatches.has(person);
  return enough ? endBeforeStart(state, 'rejected') : undefined;
}

function kindOf(document: string): { decision: DecisionKind; approver: string } | undefined {
  try {
    return decode(decisionDocument, document);
  } catch {
    return undefined;
  }
}

function endBeforeStart(state: State, ending: string): State | undefined {
  const waits = state.name === 'evaluating' || state.name === 'pending' || state.name === 'approved';
  return waits ? { ...state, name: 'ended', ending, leases: new Map() } : undefined;
}

function endActive(state: State, name: State['name'], ending: string = name): State | undefined {
  return state.name === 'active' || state.name === 'unknown' ? { ...state, name, ending } : undefined;
}

function executed(state: State, outcome: 'completed' | 'failed' | 'unknown'): State | undefined {
  if (outcome === 'unknown') return state.name === 'active' ? { ...state, name: 'unknown' } : undefined;
  return endActive(state, outcome === 'completed' ? 'completed' : 'ended', outcome);
}

const WITH_LEASES = new Set<State['name']>(['active', 'unknown', 'rolling_back', 'completed', 'ended']);

function leaseMoved(state: State, kind: 'lease.intended' | 'lease.issued' | 'lease.revoked', lease: string): State | undefined {
  if (!WITH_LEASES.has(state.name)) return undefined;
  const status = state.leases.get(lease);
  const moved = (to: LeaseStatus): State => ({ ...state, leases: new Map([...state.leases, [lease, to]]) });
  if (kind === 'lease.intended') return state.name === 'active' && state.takenBack.size === 0 && status === undefined ? moved('intended') : undefined;
  if (kind === 'lease.issued') return status === 'intended' ? moved('issued') : undefined;
  return status === undefined ? undefined : moved('revoked');
}

/**
 * What ends a request in a person's name stands directly after what that person signed, and a grant's clock runs out
 * when it was set to. Who cancelled, ended or rolled back did not sign: there the log has only the server's word.
 */
function unfounded({ event, at }: Recorded<RequestEvent>, previous: RequestEvent | undefined, subject: Case | undefined): string | undefined {
  if (event.kind === 'request.rejected' && !wasDecided(previous, event.body.person, ['reject'])) {
    return `it names \`${event.body.person}\`, whose rejection does not stand before it`;
  }
  if (event.kind === 'grant.revoked' && !wasDecided(previous, event.body.person, ['revoke', 'withdraw'])) {
    return `it names \`${event.body.person}\`, whose decision does not stand before it`;
  }
  if (event.kind === 'grant.expired' && (subject?.activated?.event.ends_at !== event.body.ended_at || event.body.ended_at > at)) {
    return 'its grant did not end at that time';
  }
  return undefined;
}

/** Whether the event is a decision of these kinds by this person. Its signature is checked as every decision's is. */
function wasDecided(event: RequestEvent | undefined, person: string, kinds: DecisionKind[]): boolean {
  const document = event?.kind === 'decision.recorded' ? kindOf(event.body.document) : undefined;
  return document?.approver === person && kinds.includes(document.decision);
}

function takeIn(subject: Case | undefined, before: State | undefined, after: State, recorded: Recorded<RequestEvent>): Case | undefined {
  const { event } = recorded;
  if (event.kind === 'request.submitted' || event.kind === 'request.revised') {
    const fresh = { judged: [], judgement: undefined, approved: undefined, activated: undefined, intended: [], issued: [], revoked: [] };
    return { id: after.asked.id, asked: after.asked, submitted: part(recorded, event.body), decisions: subject?.decisions ?? [], state: after.name, ...fresh };
  }
  if (subject === undefined) return undefined;
  const next: Case = { ...subject, asked: after.asked, state: after.ending ?? after.name };
  switch (event.kind) {
    case 'request.judged': {
      const { verdict_sha256, policy_sha256, grant, lapses_at } = event.body;
      next.judged = [...subject.judged, part(recorded, event.body)];
      if (event.body.phase === 'request' && after.name === 'pending' && grant !== undefined && lapses_at !== undefined) {
        next.judgement = { verdict_sha256, policy_sha256, grant, lapses_at };
      }
      return next;
    }
    case 'decision.recorded': {
      const place = { recorded: part(recorded, event.body), asked: before?.asked ?? after.asked, judgement: subject.judgement };
      next.decisions = [...subject.decisions, place];
      return next;
    }
    case 'request.approved':
      return { ...next, approved: part(recorded, event.body) };
    case 'grant.activated':
      return { ...next, activated: part(recorded, event.body) };
    case 'lease.intended':
      return { ...next, intended: [...subject.intended, part(recorded, event.body)] };
    case 'lease.issued':
      return { ...next, issued: [...subject.issued, part(recorded, event.body)] };
    case 'lease.revoked':
      return { ...next, revoked: [...subject.revoked, part(recorded, event.body)] };
    default:
      return next;
  }
}

/** The same place, with the body of its event. */
function part<B>(recorded: Recorded<RequestEvent>, body: B): Recorded<B> {
  return { ...recorded, event: body };
}
