import { expect, test } from 'vitest';
import { matching, merge, settle, type Summary } from './rows';

const item = (id: string, more: Partial<Summary> = {}): Summary => ({
  id, version: 1, state: 'pending', revision: 1, entitlement: 'db-change', requester: { person: 'P', name: 'Ben' },
  beneficiary: { person: 'P', name: 'Ben' }, risk_score: 10, created_at: '', updated_at: '', title: 'Change a database', subject: 'payments',
  tier: 'low', grant_seconds: 900, waiting_for: [], ...more,
});
const ids = (items: readonly Summary[]) => items.map(({ id }) => id).join('');

test('rows stand where they stood: what is new waits, what is gone stays', () => {
  const shown = [item('C'), item('B'), item('A')];
  const now = [item('E'), item('D'), item('C'), item('A', { state: 'approved' })];
  const { rows, fresh } = settle(shown, now);
  expect(rows.map(({ item: { id }, gone }) => id + (gone ? '-' : ''))).toEqual(['C', 'B-', 'A']);
  expect(rows[2]?.item.state).toBe('approved');
  expect(fresh).toBe(2);
  expect(settle(undefined, now).fresh).toBe(0);
});

test('a newer first page corrects the pages that were loaded before', () => {
  const pages = [item('F'), item('E'), item('D'), item('B'), item('A')];
  expect(ids(merge(undefined, false, pages))).toBe('FEDBA');
  // G is new; E is gone, as it is younger than the end of the page and not in it.
  expect(ids(merge([item('G'), item('F'), item('D')], false, pages))).toBe('GFDBA');
  expect(ids(merge([item('F')], true, pages))).toBe('F');
  expect(ids(merge([], true, pages))).toBe('');
  expect(ids(merge([], false, pages))).toBe('FEDBA');
});

test('every word must be said somewhere in the row', () => {
  const rows = [item('A'), item('B', { subject: 'archive', requester: { person: 'Q', name: 'Dee' } })].map((one) => ({ item: one, gone: false }));
  const found = (typed: string) => ids(matching(rows, typed).map((row) => row.item));
  expect([found(''), found('ben PAY'), found('dee'), found('dee payments')]).toEqual(['AB', 'A', 'B', '']);
});

test('one of 5,000 rows is found', () => {
  const rows = Array.from({ length: 5000 }, (_, position) => ({ item: item(String(position), { subject: `host${position}` }), gone: false }));
  expect(matching(rows, 'host4999 ben')).toHaveLength(1);
});
