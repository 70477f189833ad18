import { expect, test } from 'vitest';
import { summarise } from './summary';

const entry = (kind: string, body: object, stream = 'request/01') => ({ kind, stream, body: body as Record<string, never> });

test.each([
  ['request.submitted', { requester: 'P', entitlement: 'db-change' }, 'Request submitted', 'db-change', 'P'],
  ['request.judged', { outcome: 'require_approval' }, 'Policy spoke', 'require approval', undefined],
  ['decision.recorded', { document: '{"approver":"A","decision":"approve"}' }, 'Decision', 'approve', 'A'],
  ['decision.recorded', { document: 'no json' }, 'Decision', undefined, undefined],
  ['role.granted', { person: 'P', role: 'dba' }, 'Role given', 'dba', 'P'],
  ['something.new', {}, 'something.new', undefined, undefined],
])('%s', (kind, body, title, detail, person) => {
  expect(summarise(entry(kind, body))).toEqual({ title, detail, person });
});

test('an act on a person is about them', () => {
  expect(summarise(entry('passkey.removed', {}, 'identity/P')).person).toBe('P');
});
