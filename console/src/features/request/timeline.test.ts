import { expect, test } from 'vitest';
import type { Schema } from '../../client/client';
import { timelineOf } from './timeline';

function event(leaf: number, kind: string, time: string): Schema<'TimelineEntry'> {
  return { leaf_index: leaf, version: leaf, kind, time, summary: kind };
}

const EVENTS = [event(7, 'request.submitted', '2026-03-01T10:00:00Z'), event(8, 'request.judged', '2026-03-01T10:00:00Z'), event(9, 'decision.recorded', '2026-03-01T10:05:00Z')];
const look = (person: string, time: string) => ({ person: { person }, time });

test('first looks stand where they belong, and are not said to be in the log', () => {
  const seen = [look('A', '2026-03-01T10:00:00Z'), look('B', '2026-03-01T10:04:00Z'), look('C', '2026-03-01T11:00:00Z')];
  const told = timelineOf({ timeline: EVENTS, decisions: [], seen }).map(({ kind, leaf, person }) => `${kind} ${leaf ?? person?.person}`);
  expect(told).toEqual(['request.submitted 7', 'request.judged 8', 'seen A', 'seen B', 'decision.recorded 9', 'seen C']);
});

test('a decision comes with what it says, by its place in the log', () => {
  const decision = { leaf_index: 9, decision: 'approve', reason: 'fine' } as Schema<'DecisionView'>;
  const told = timelineOf({ timeline: EVENTS, decisions: [decision], seen: [] });
  expect(told.map((one) => one.decision)).toEqual([undefined, undefined, decision]);
});
