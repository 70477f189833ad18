import { expect, test } from 'vitest';
import { agrees, commandWarnings, diffCounts, kindOf, planCounts, toneOf } from './kinds';
import { lineCount } from './source';
import { statements, tokens } from './sql';

test.each([
  ['SELECT 1', [['SELECT', [], undefined]]],
  ['update "Big Table" set a = 1', [['UPDATE', ['"Big Table"'], 'no_where']]],
  ['UPDATE a.b SET c = 1 WHERE d', [['UPDATE', ['a.b'], undefined]]],
  ['DELETE FROM t; -- WHERE true', [['DELETE', ['t'], 'no_where']]],
  ["DELETE FROM t WHERE x = ';'; DROP TABLE IF EXISTS s.u CASCADE", [['DELETE', ['t'], undefined], ['DROP TABLE', ['s.u'], 'drops']]],
  ['CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)', [['CREATE INDEX', ['t'], undefined]]],
  ['ALTER TABLE t DROP COLUMN c', [['ALTER TABLE', ['t'], 'drops']]],
  ['TRUNCATE a', [['TRUNCATE', ['a'], 'truncates']]],
  ['GRANT ALL ON t TO bob', [['GRANT', ['t'], 'grants']]],
  ['DO $x$ BEGIN DELETE FROM t; END $x$', [['DO', [], 'opaque']]],
  ['WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone', [['DELETE', ['t', 'gone'], 'no_where']]],
  ['INSERT INTO a SELECT * FROM b JOIN c ON true', [['INSERT', ['a', 'b', 'c'], undefined]]],
  ["COPY t FROM PROGRAM 'rm -rf /'", [['COPY', ['t'], 'opaque']]],
  [';;', []],
])('%s', (source, expected) => {
  expect(statements(source).map(({ kind, tables, warning }) => [kind, tables, warning])).toEqual(expected);
});

test('what looks like a comment or an end within quotes is neither', () => {
  expect(statements("SELECT '--', 'a;b', $$;$$, E'\\';', \";\" /* ; /* ; */ ; */ FROM t").map(({ kind }) => kind)).toEqual(['SELECT']);
  expect(statements('/*! DROP TABLE t */').map(({ warning }) => warning)).toEqual(['opaque']);
});

test('the tokens are the text again, whatever it is', () => {
  for (const source of ["'open", '$a$ open', '/* open', '"open', 'a\u202eb', 'é–ß', "E'\\", '$$', '-- end', '\\d t', '']) {
    expect(tokens(source).map(({ text }) => text).join('')).toBe(source);
  }
});

const PLAN = `  # aws_instance.web will be created
  + resource "aws_instance" "web" {
      + ami = "a"
    }
  # aws_db.main must be replaced
-/+ resource "aws_db" "main" {
  # aws_sg.open will be updated in-place
  ~ resource "aws_sg" "open" {
  # aws_key.old will be destroyed
  - resource "aws_key" "old" {

Plan: 2 to add, 1 to change, 2 to destroy.
`;

test('a plan is counted by its lines', () => {
  expect(planCounts(PLAN)).toEqual({ add: 1, change: 1, destroy: 1, replace: 1, summary: { add: 2, change: 1, destroy: 2 } });
  expect(agrees(planCounts(PLAN))).toBe(true);
  expect(agrees(planCounts(PLAN.replace('2 to destroy', '0 to destroy')))).toBe(false);
  expect(toneOf('terraform', '-/+ resource')).toBe('removed');
  expect(toneOf('terraform', '  ~ resource')).toBe('changed');
  expect(toneOf('terraform', '      + ami')).toBe('added');
});

test('the kind of a file', () => {
  expect(kindOf('up.sql', 'text/plain', '')).toBe('sql');
  expect(kindOf('plan.txt', 'text/plain', PLAN)).toBe('terraform');
  expect(kindOf('rules', 'text/plain', '--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n')).toBe('diff');
  expect(kindOf('run', 'text/plain', '#!/bin/sh\n')).toBe('command');
  expect(kindOf('note', 'text/plain', 'hello')).toBe('text');
});

test('a diff is counted without its head', () => {
  expect(diffCounts('--- a\n+++ b\n@@ -1,2 +1 @@\n-x\n-z\n+y\n same\n')).toEqual({ added: 1, removed: 2 });
});

test('what makes one look twice at a command', () => {
  expect(commandWarnings('systemctl restart shop-worker')).toEqual([]);
  expect(commandWarnings('sudo rm -rf /srv/old && echo done')).toEqual(['chained', 'as_root', 'destroys']);
  expect(commandWarnings('#!/bin/sh\n# stop it\nkill 7\n')).toEqual(['destroys']);
});

test('a last line end begins no line', () => {
  expect(['', 'a', 'a\n', 'a\n\n', '\n'].map(lineCount)).toEqual([0, 1, 1, 2, 1]);
});
