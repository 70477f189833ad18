/** The part of YAML that is read here, and what is beyond it: refused, never guessed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseYaml, YamlUnreadable } from '../../src/verify/yaml';

/** Objects that were read have no prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const READ: [string, unknown][] = [
  ['', null],
  ['a: 1\nb: text with spaces\n', { a: 1, b: 'text with spaces' }],
  ['---\na:\n  b:\n    c: true\n  d: null\n', { a: { b: { c: true }, d: null } }],
  ['a:\n- 1\n- two\n- b: 3\n  c: 4\n-\n  - 5\n', { a: [1, 'two', { b: 3, c: 4 }, [5]] }],
  ['a:\n  - role: engineer\n  - role: security\n', { a: [{ role: 'engineer' }, { role: 'security' }] }],
  ['a: [x, "y, z", \'it\'\'s\', 4]\nb: {parameter: host}\nc: []\nd: {}\n', { a: ['x', 'y, z', "it's", 4], b: { parameter: 'host' }, c: [], d: {} }],
  ['# comment\na: 1 # one\n\n  # another\nb: "#2" # two\nc: a#b\n', { a: 1, b: '#2', c: 'a#b' }],
  ['p: ^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$\nq: ^[0-9A-Fa-f.:]+/[0-9]{1,3}$\n', { p: '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$', q: '^[0-9A-Fa-f.:]+/[0-9]{1,3}$' }],
  ['a: |\n  one\n    two\n\n  three\nb: >-\n  one\n  two\n\n  three\n', { a: 'one\n  two\n\nthree\n', b: 'one two\nthree' }],
  ['a: "\\u00e9\\n\\"\\\\"\n"quoted name": 1\n', { a: 'é\n"\\', 'quoted name': 1 }],
  ['a: -5\nb: 0\nc: "5"\nd: -x\n', { a: -5, b: 0, c: '5', d: '-x' }],
  ['__proto__: {a: 1}\n', JSON.parse('{"__proto__":{"a":1}}')],
];

const UNREADABLE = [
  ...['a: yes', 'a: NO', 'a: on', 'a: 012', 'a: 0x10', 'a: 1_000', 'a: 1.5', 'a: .inf', 'a: 1:30', 'a: 2026-11-26', 'a: 9007199254740993', 'a: +1'],
  ...['a: &x 1', 'a: *x', 'a: !tag 1', '<<: {a: 1}', 'a: 1\na: 2', 'a: {b: 1, b: 2}', 'a:\tb', 'a: 1\n---\nb: 2', '%YAML 1.2\n---\na: 1'],
  ...['a: one\n  two', 'a: [1,\n  2]', 'a: "x" y', 'a: [1, 2] x', 'a: "\\x41"', 'a: |2\n  x', 'a: |+\n  x\n', 'a:\n    b: 1\n  c: 2', '? a\n: b'],
  ...['a: {b:1}', 'a: [,]', 'a: @x', 'a: `x`', '- a\nb: 1', 'a: b: c', '1: a', 'a: >\n  x\n    y\n'],
];

describe('YAML', () => {
  it.each(READ)('reads %j', (text, expected) => {
    expect(plain(parseYaml(text))).toEqual(expected);
  });

  it.each(UNREADABLE)('does not guess at %j', (text) => {
    expect(() => parseYaml(text)).toThrow(YamlUnreadable);
  });

  it.each(['ssh-admin', 'db-change', 'role-grant'])('reads the default policy’s %s', (name) => {
    const file = join(import.meta.dirname, `../../../policies/entitlements/${name}/data.yaml`);
    expect(parseYaml(readFileSync(file, 'utf8'))).toHaveProperty('connector');
  });

  it.each([`a${' '.repeat(200_000)}: 1`, 'a: '.repeat(50_000), `a: ${'['.repeat(100_000)}`, `a: "${'\\'.repeat(100_001)}`, `a: '${"'".repeat(100_001)}x`])(
    'reads or refuses long texts (%#)',
    (text) => {
      try {
        expect(parseYaml(text)).toBeDefined();
      } catch (error) {
        expect(error).toBeInstanceOf(YamlUnreadable);
      }
    },
  );
});
