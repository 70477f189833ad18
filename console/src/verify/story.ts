/** What was verified, told for people. Nothing here is evidence: it repeats what the checks have read. */

import { isObject } from './canonical';
import type { Verified } from './decisions';
import type { Disclosed } from './disclosures';
import type { RequestDocument, VerdictDocument } from './documents';
import type { Entitlement } from './entitlement';
import type { Seating } from './events';
import type { Case } from './lifecycle';
import type { Streams } from './log';
import type { Asking } from './requester';

/** One line of the timeline. */
export interface StoryEvent {
  index: number;
  at: number;
  kind: string;
}

/** A decision that stands. */
export interface StoryDecision {
  index: number;
  at: number;
  person: string;
  decision: string;
  reason: string | undefined;
}

/** What the checks hand over when all of them have run. */
interface Told {
  asking: Asking;
  verdict: VerdictDocument | undefined;
  entitlement: Entitlement | undefined;
  seats: Seating | undefined;
  verified: readonly Verified[];
  subject: Case;
}

export class Story {
  /** Where the request stands at the end of the bundle. */
  state: string | undefined;
  events: StoryEvent[] = [];
  document: RequestDocument | undefined;
  requestSha256: string | undefined;
  title: string | undefined;
  justification: string | undefined;
  risk: { score: number; tier: string } | undefined;
  decisions: StoryDecision[] = [];
  seats: Seating = new Map();
  grant: { startedAt: number; endsAt: number } | undefined;
  /** Names of people, by id, where they are disclosed. */
  names = new Map<string, string>();
  private reasons = new Map<number, string>();
  private people: [number, string][] = [];

  begin(streams: Streams, subject: Case): void {
    this.state = subject.state;
    this.events = streams.request.map(({ index, at, event }) => ({ index, at, kind: event.kind }));
    this.people = streams.identity.flatMap(({ index, event }): [number, string][] => (event.kind === 'person.created' ? [[index, event.body.person]] : []));
  }

  disclose({ request, leaves }: Disclosed): void {
    const why = isObject(request) ? request.justification : undefined;
    if (typeof why === 'string') this.justification = why;
    for (const [index, clear] of leaves) {
      const said = (name: string): string | undefined => {
        const value = clear.find(([member]) => member === name)?.[1];
        return typeof value === 'string' ? value : undefined;
      };
      const [person, name, reason] = [this.people.find(([leaf]) => leaf === index)?.[1], said('name'), said('reason')];
      if (person !== undefined && name !== undefined) this.names.set(person, name);
      if (reason !== undefined) this.reasons.set(index, reason);
    }
  }

  tell({ asking, verdict, entitlement, seats, verified, subject }: Told): void {
    this.document = asking.document;
    this.requestSha256 = asking.sha256;
    this.title = entitlement?.title;
    this.risk = verdict?.risk;
    this.seats = seats ?? new Map();
    const grant = subject.activated?.event;
    this.grant = grant && { startedAt: grant.started_at, endsAt: grant.ends_at };
    this.decisions = verified.map(({ place: { recorded }, document }) => ({
      index: recorded.index,
      at: recorded.at,
      person: document.approver,
      decision: document.decision,
      reason: this.reasons.get(recorded.index),
    }));
  }

  /** A person's name where it is disclosed, else their id. */
  nameOf(person: string): string {
    return this.names.get(person) ?? person;
  }
}
