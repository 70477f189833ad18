/** What a file of SQL does, statement by statement. An aid for eyes: what counts is the text, which is shown whole. */

export type TokenKind = 'word' | 'text' | 'comment' | 'number' | 'sign' | 'space';

export interface Token {
  kind: TokenKind;
  text: string;
}

export type Warning = 'no_where' | 'drops' | 'truncates' | 'grants' | 'opaque';

export interface Statement {
  /** Such as `CREATE INDEX` or `UPDATE`. */
  kind: string;
  tables: string[];
  warning: Warning | undefined;
}

// In this order: a quote or comment hides what looks like another token within it.
const LEXER: readonly [TokenKind, RegExp][] = [
  ['space', /\s+/y],
  ['comment', /--[^\n]*/y],
  ['text', /\$([\p{L}_][\p{L}\p{N}_]*)?\$[\s\S]*?\$\1\$/uy],
  ['text', /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y],
  ['text', /'(?:[^']|'')*'/y],
  ['word', /"(?:[^"]|"")*"/y],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['number', /\d+(?:\.\d+)?/y],
  ['sign', /[\s\S]/uy],
];

/** The text in tokens; together they are the text again. */
export function tokens(source: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const token = source.startsWith('/*', at) ? blockComment(source, at) : next(source, at);
    found.push(token);
    at += token.text.length;
  }
  return found;
}

function next(source: string, at: number): Token {
  for (const [kind, pattern] of LEXER) {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text) return { kind, text };
  }
  return { kind: 'sign', text: source.charAt(at) };
}

/** Block comments nest in PostgreSQL; one that MySQL would run (`/*!`) is no comment here. */
function blockComment(source: string, start: number): Token {
  const kind = source.startsWith('/*!', start) ? 'sign' : 'comment';
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    if (source.startsWith('/*', at)) depth += 1;
    else if (source.startsWith('*/', at)) depth -= 1;
    else continue;
    at += 1;
    if (depth === 0) return { kind, text: source.slice(start, at + 1) };
  }
  return { kind, text: source.slice(start) };
}

/** The statements, in order; empty ones are none. */
export function statements(source: string): Statement[] {
  const groups: string[][] = [[]];
  for (const { kind, text } of tokens(source)) {
    if (kind === 'space' || kind === 'comment') continue;
    if (text === ';') groups.push([]);
    else groups.at(-1)?.push(kind === 'text' ? "''" : text);
  }
  return groups.filter((words) => words.length > 0).map(statement);
}

const OBJECTS = ['TABLE', 'INDEX', 'VIEW', 'MATERIALIZED', 'SEQUENCE', 'SCHEMA', 'DATABASE', 'FUNCTION', 'PROCEDURE', 'TRIGGER', 'TYPE', 'ROLE', 'USER', 'EXTENSION', 'POLICY', 'DOMAIN', 'COLUMN', 'CONSTRAINT', 'PUBLICATION', 'SUBSCRIPTION', 'OWNED', 'RULE', 'SYSTEM'];

function statement(words: string[]): Statement {
  const upper = words.map((word) => word.toUpperCase());
  const kind = kindOf(upper);
  return { kind, tables: tablesOf(words, upper), warning: warningOf(kind, upper) };
}

function kindOf(upper: string[]): string {
  const [first = ''] = upper;
  if (first === 'WITH') return upper.find((word) => ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(word)) ?? 'SELECT';
  if (!['CREATE', 'ALTER', 'DROP'].includes(first)) return /^\p{L}/u.test(first) ? first : '?';
  const object = upper.slice(1, 6).find((word) => OBJECTS.includes(word));
  return object === undefined ? first : `${first} ${object === 'MATERIALIZED' ? 'VIEW' : object}`;
}

const BEFORE_NAME = ['FROM', 'JOIN', 'INTO', 'UPDATE', 'TABLE', 'TRUNCATE', 'VIEW', 'USING', 'COPY'];
// Elsewhere ON begins a condition.
const ON_NAMES = ['CREATE', 'DROP', 'GRANT', 'REVOKE', 'COMMENT'];
const BETWEEN = ['IF', 'NOT', 'EXISTS', 'ONLY', 'TABLE', 'CONCURRENTLY'];
const NO_NAME = ['SELECT', 'SET', 'CONFLICT', 'DELETE', 'UPDATE', 'CASCADE', 'RESTRICT', 'DO', 'NOTHING', 'BTREE', 'HASH', 'GIN', 'GIST', 'BRIN', 'LATERAL', 'VALUES', 'PROGRAM', 'STDIN'];

function tablesOf(words: string[], upper: string[]): string[] {
  const found = new Set<string>();
  if (upper[0] === 'DROP') found.add(dropped(words, upper));
  upper.forEach((word, position) => {
    const named = BEFORE_NAME.includes(word) || (word === 'ON' && ON_NAMES.includes(upper[0] ?? ''));
    if (!named) return;
    let at = position + 1;
    while (BETWEEN.includes(upper[at] ?? '')) at += 1;
    const name = nameAt(words, at);
    if (name !== undefined && !NO_NAME.includes(name.toUpperCase())) found.add(name);
  });
  return [...found];
}

/** What a DROP names first. */
function dropped(words: string[], upper: string[]): string {
  let at = 1;
  while (OBJECTS.includes(upper[at] ?? '') || BETWEEN.includes(upper[at] ?? '')) at += 1;
  return nameAt(words, at) ?? '?';
}

/** A name, with the schema before it. Something in parentheses is none. */
function nameAt(words: string[], at: number): string | undefined {
  const first = words[at];
  if (first === undefined || !/^["\p{L}_]/u.test(first)) return undefined;
  if (words[at + 1] === '(' && words[at - 1]?.toUpperCase() === 'FROM') return undefined;
  return words[at + 1] === '.' && words[at + 2] !== undefined ? `${first}.${words[at + 2]}` : first;
}

function warningOf(kind: string, upper: string[]): Warning | undefined {
  if ((kind === 'DELETE' || kind === 'UPDATE') && !upper.includes('WHERE')) return 'no_where';
  if (kind.startsWith('DROP') || (kind.startsWith('ALTER') && upper.includes('DROP'))) return 'drops';
  if (kind === 'TRUNCATE') return 'truncates';
  if (['GRANT', 'REVOKE', 'ALTER ROLE', 'CREATE ROLE', 'ALTER USER', 'CREATE USER', 'CREATE POLICY', 'ALTER POLICY', 'ALTER SYSTEM', 'REASSIGN'].includes(kind)) return 'grants';
  if (['DO', 'CALL', 'EXECUTE', 'CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE TRIGGER', 'CREATE EXTENSION', 'COPY', '\\', '?'].includes(kind)) return 'opaque';
  return undefined;
}
