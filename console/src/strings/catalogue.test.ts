import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const SOURCE = join(import.meta.dirname, '..');
const SPOKEN = ['alt', 'aria-label', 'aria-description', 'label', 'placeholder', 'title'];

/** Texts within JSX that a person would read: they belong in this folder. */
function textsIn(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) && /\p{L}/u.test(node.text)) found.push(node.text.trim());
    if (ts.isJsxExpression(node) && node.expression && ts.isStringLiteral(node.expression) && !ts.isJsxAttribute(node.parent)) {
      if (/\p{L}/u.test(node.expression.text)) found.push(node.expression.text);
    }
    if (ts.isJsxAttribute(node) && node.initializer && ts.isStringLiteral(node.initializer)) {
      if (SPOKEN.includes(node.name.getText()) && /\p{L}/u.test(node.initializer.text)) found.push(node.initializer.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('read.tsx', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found;
}

// Every screen is parsed, which takes long on a busy machine.
test('every text that a person reads stands in the catalogue', { timeout: 60_000 }, () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.tsx'));
  const found = files.flatMap((file) => textsIn(readFileSync(join(SOURCE, file), 'utf8')).map((text) => `${file}: ${text}`));
  expect(found).toEqual([]);
});

test('a text outside the catalogue is found', () => {
  expect(textsIn('<p>Hello</p>')).toEqual(['Hello']);
  expect(textsIn('<p title="Hello">{"there"}</p>')).toEqual(['Hello', 'there']);
  expect(textsIn('<p className="row">{text.hello} · 12</p>')).toEqual([]);
});
