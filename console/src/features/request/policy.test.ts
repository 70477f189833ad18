import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../verify/digest';
import { bundleDigest, ruleAt } from './policy';

const RULES = readFileSync(join(import.meta.dirname, '../../../../policies/chancery/rules/db_change.rego'), 'utf8');

function lineOf(text: string): number {
  return RULES.split('\n').findIndex((line) => line.includes(text)) + 1;
}

test('a rule is shown whole: where it begins, and where it ends', () => {
  const { text, first } = ruleAt(RULES, lineOf('"rule": "db_change.undo"'));
  expect(text.startsWith('deny contains {')).toBe(true);
  expect(text.endsWith('not artifacts.undoable\n}')).toBe(true);
  expect(RULES.split('\n')[first - 1]).toBe('deny contains {');
  expect(ruleAt(RULES, lineOf('"id": "dba"')).text.split('\n')).toHaveLength(3);
});

test('a line that is not there shows what is', () => {
  expect(ruleAt('a := 1', 9)).toEqual({ first: 1, text: 'a := 1' });
  expect(ruleAt('', 1)).toEqual({ first: 1, text: '' });
});

test('the digest of a bundle is that of its list of files', async () => {
  const files = ['b', '.manifest', 'a'].map((path) => ({ path, size: 1, sha256: `${path}0` }));
  expect(await bundleDigest(files)).toBe(await sha256Hex('[["a","a0"],["b","b0"]]'));
});
