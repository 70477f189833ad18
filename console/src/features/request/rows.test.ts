import { expect, test } from 'vitest';
import { grouped, hasWords, type Row } from './rows';

function row(id: string, state: string): Row {
  return { id, state, entitlement: 'ssh-admin', title: 'Log in to a server', subject: 'web-1 · deploy', beneficiary: { person: 'P', name: 'Ben' } } as Row;
}

test('what waits or runs stands apart from what is over, in order', () => {
  const { open, over } = grouped([row('1', 'denied'), row('2', 'pending'), row('3', 'revoked'), row('4', 'active')]);
  expect([open, over].map((rows) => rows.map(({ id }) => id).join(' '))).toEqual(['2 4', '1 3']);
});

test.each([
  ['', true],
  ['web-1 log', true],
  ['PENDING deploy', true],
  ['web-2', false],
])('words `%s`', (typed, found) => {
  expect(hasWords(row('1', 'pending'), typed)).toBe(found);
});
