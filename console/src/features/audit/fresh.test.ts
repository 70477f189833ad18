import { expect, test } from 'vitest';
import { mayFit } from './use-fresh';

test.each([
  [{}, true],
  [{ stream: 'request/' }, true],
  [{ stream: 'identity/' }, false],
  [{ kind: 'decision.' }, true],
  [{ kind: 'lease.' }, false],
  [{ text: 'words' }, true],
  [{ until: '2026-01-01T00:00:00Z' }, false],
  [{ order: 'oldest' as const }, false],
])('%j', (filter, fits) => {
  expect(mayFit(filter, { stream: 'request/01', kind: 'chancery.decision.recorded' })).toBe(fits);
});
