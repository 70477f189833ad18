/** What happened to a request, in order. What is not in the log says so. */
import type { Schema } from '../../client/client';
import type { RequestSaid } from './load';

export type Tone = 'plain' | 'good' | 'bad' | 'act';

export interface Happened {
  key: string;
  kind: string;
  time: string;
  person: Schema<'PersonReference'> | undefined;
  /** The server's words. */
  summary: string;
  /** Absent for what is not in the log. */
  leaf: number | undefined;
  attestation: number | undefined;
  decision: Schema<'DecisionView'> | undefined;
  tone: Tone;
}

const TONES: Readonly<Record<string, Tone>> = {
  'request.approved': 'good',
  'grant.activated': 'act',
  'lease.issued': 'act',
  'request.rejected': 'bad',
  'request.mismatched': 'bad',
  'decision.refused': 'bad',
  'grant.revoked': 'bad',
};

/** Events by their place in the log; first looks where they belong by time, after events of the same second. */
export function timelineOf({ timeline, decisions, seen }: Pick<RequestSaid, 'timeline' | 'decisions' | 'seen'>): Happened[] {
  const events = timeline.map((entry): Happened => ({
    key: `leaf ${entry.leaf_index}`,
    kind: entry.kind,
    time: entry.time,
    person: entry.person ?? undefined,
    summary: entry.summary,
    leaf: entry.leaf_index,
    attestation: entry.attestation_index ?? undefined,
    decision: decisions.find(({ leaf_index: leaf }) => leaf === entry.leaf_index),
    tone: TONES[entry.kind] ?? 'plain',
  }));
  for (const { person, time } of seen) {
    const later = events.findIndex((event) => event.time > time);
    const look: Happened = { key: `seen ${person.person}`, kind: 'seen', time, person, summary: '', leaf: undefined, attestation: undefined, decision: undefined, tone: 'plain' };
    events.splice(later < 0 ? events.length : later, 0, look);
  }
  return events;
}
