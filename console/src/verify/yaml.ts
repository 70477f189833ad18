/**
 * The part of YAML in which every reader agrees: block and flow collections, plain and quoted scalars of one line, literal
 * and folded blocks, comments. What is beyond it is refused as unreadable, never guessed.
 *
 * What is read here is only believed when its canonical JSON has the digest that people signed, so a misreading could
 * make a good bundle fail, and never a bad one pass.
 */

import type { Json, JsonObject } from './canonical';
import { Refusal } from './shape';

/** Valid YAML perhaps, but not of the part that is read here. */
export class YamlUnreadable extends Refusal {
  override name = 'YamlUnreadable';
}

interface Line {
  indent: number;
  content: string;
}

/** Plain scalars that YAML 1.1 and 1.2 understand differently, and numbers in other notations. */
const AMBIGUOUS = /^(?:[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|True|TRUE|False|FALSE|Null|NULL|<<|=|[-+.]?[0-9][-+0-9_.:a-zA-Z]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const MAX_DEPTH = 64;

/** Reads one document. Throws {@link YamlUnreadable}. */
export function parseYaml(text: string): Json {
  if (/[\t\r\u0000-\u0008\u000b-\u001f\u0085\u2028\u2029\ufeff]/.test(text)) unreadable('a tab or a control character');
  return new YamlReader(text).document();
}

function unreadable(what: string): never {
  throw new YamlUnreadable(`YAML that is not read here: ${what}`);
}

class YamlReader {
  private readonly lines: Line[];
  private at = 0;

  constructor(text: string) {
    this.lines = text.split('\n').map((line) => ({ indent: line.search(/[^ ]|$/), content: line.trimStart() }));
  }

  document(): Json {
    if (this.peek()?.content === '---') this.at += 1;
    const value = this.block(0, 0);
    return this.peek() === undefined ? value : unreadable('more than one document, or text in an unexpected place');
  }

  /** The next line with something on it. */
  private peek(): Line | undefined {
    while (this.at < this.lines.length) {
      const line = this.lines[this.at];
      if (line !== undefined && line.content !== '' && !line.content.startsWith('#')) return line;
      this.at += 1;
    }
    return undefined;
  }

  /** The node that starts on the next line, if that is indented by at least so much. */
  private block(least: number, depth: number): Json {
    if (depth > MAX_DEPTH) unreadable('deep nesting');
    const line = this.peek();
    if (line === undefined || line.indent < least) return null;
    if (isItem(line.content)) return this.sequence(line.indent, depth);
    if (keyOf(line.content) !== undefined) return this.mapping(line.indent, depth);
    this.at += 1;
    return scalarOrFlow(line.content);
  }

  private mapping(indent: number, depth: number): JsonObject {
    const members = Object.create(null) as JsonObject;
    for (let line = this.peek(); line !== undefined && line.indent === indent; line = this.peek()) {
      const key = keyOf(line.content);
      if (key === undefined) return unreadable('a line without `name:` in a mapping');
      if (key.name in members) unreadable(`\`${key.name}\` twice in one mapping`);
      this.at += 1;
      members[key.name] = this.value(key.rest, indent, depth);
    }
    const next = this.peek();
    return next !== undefined && next.indent > indent ? unreadable('an indentation that fits nothing') : members;
  }

  private sequence(indent: number, depth: number): Json[] {
    const elements: Json[] = [];
    for (let line = this.peek(); line !== undefined && line.indent === indent && isItem(line.content); line = this.peek()) {
      const rest = line.content.slice(1).trimStart();
      if (rest === '' || rest.startsWith('#')) {
        this.at += 1;
        elements.push(this.block(indent + 1, depth + 1));
        continue;
      }
      // What stands behind the hyphen is read as if it stood on a line of its own, at its own indentation.
      this.lines[this.at] = { indent: indent + line.content.length - rest.length, content: rest };
      elements.push(this.item(rest, indent, depth + 1));
    }
    return elements;
  }

  private item(content: string, indent: number, depth: number): Json {
    if (isItem(content) || keyOf(content) !== undefined) return this.block(indent + 1, depth);
    this.at += 1;
    return this.value(content, indent, depth);
  }

  /** What follows a name: on the same line, or below it. */
  private value(rest: string, indent: number, depth: number): Json {
    const plain = withoutComment(rest);
    if (plain !== '') return /^[|>]/.test(plain) ? this.text(plain, indent) : scalarOrFlow(rest);
    const next = this.peek();
    // A sequence may stand at the indentation of the name that it belongs to.
    if (next !== undefined && next.indent === indent && isItem(next.content)) return this.sequence(indent, depth + 1);
    return this.block(indent + 1, depth + 1);
  }

  /** A literal or folded block with at most one chomping indicator. */
  private text(header: string, indent: number): string {
    const [, style, chomp] = /^([|>])([-+]?)$/.exec(header) ?? unreadable('a block with an indentation of its own');
    const lines: string[] = [];
    let margin = -1;
    for (; this.at < this.lines.length; this.at += 1) {
      const { indent: found, content } = this.lines[this.at] ?? { indent: 0, content: '' };
      if (content !== '' && found <= indent) break;
      if (content !== '' && margin < 0) margin = found;
      if (content !== '' && found < margin) unreadable('a block that is indented less than its first line');
      if (content === '' && found > Math.max(margin, 0)) unreadable('a line of spaces in a block');
      lines.push(content === '' ? '' : ' '.repeat(found - margin) + content);
    }
    if (style === '>' && lines.some((line) => line.startsWith(' '))) unreadable('a folded block with indented lines');
    return chomped(style === '>' ? folded(lines) : lines.join('\n'), lines, chomp ?? '');
  }
}

/** Lines joined by spaces; an empty line is a line's end. */
function folded(lines: readonly string[]): string {
  let text = '';
  for (const [place, line] of lines.entries()) {
    const before = lines[place - 1];
    if (place > 0) text += line === '' ? '\n' : before === '' ? '' : ' ';
    text += line;
  }
  return text;
}

function chomped(text: string, lines: readonly string[], chomp: string): string {
  if (chomp === '+') return unreadable('a block that keeps its empty lines');
  const kept = text.replace(/\n+$/, '');
  return chomp === '-' || lines.every((line) => line === '') ? kept : `${kept}\n`;
}

function isItem(content: string): boolean {
  return content === '-' || content.startsWith('- ');
}

/** The name that a line of a mapping begins with, and what follows it. */
function keyOf(content: string): { name: string; rest: string } | undefined {
  const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*') *:(?: +(.*))?$/.exec(content);
  if (quoted !== null) return { name: String(scalar(quoted[1] ?? '')), rest: quoted[2] ?? '' };
  const end = content.search(/:(?: |$)/);
  const name = end < 0 ? '' : content.slice(0, end).trimEnd();
  if (name === '' || /^[[{"'#]/.test(name)) return undefined;
  const read = scalar(name);
  return typeof read === 'string' ? { name: read, rest: content.slice(end + 1).trimStart() } : unreadable('a name that is no text');
}

function scalarOrFlow(content: string): Json {
  return new FlowReader(content).whole();
}

/** Flow collections and scalars on one line. */
class FlowReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  whole(): Json {
    const isFlow = /^[[{"']/.test(this.text);
    if (!isFlow) return scalar(withoutComment(this.text));
    const value = this.value(0);
    return withoutComment(this.text.slice(this.at)) === '' ? value : unreadable('text after a value');
  }

  private value(depth: number): Json {
    if (depth > MAX_DEPTH) unreadable('deep nesting');
    this.skip();
    const first = this.text.charAt(this.at);
    if (first === '[') return this.list(depth);
    if (first === '{') return this.map(depth);
    return scalar(this.scalarText(/[^,[\]{}\n]*/y));
  }

  private list(depth: number): Json[] {
    const elements: Json[] = [];
    this.at += 1;
    for (;;) {
      this.skip();
      if (this.take(']')) return elements;
      elements.push(this.value(depth + 1));
      this.skip();
      if (this.take(']')) return elements;
      if (!this.take(',')) unreadable('a list that goes on over lines, or is malformed');
    }
  }

  private map(depth: number): JsonObject {
    const members = Object.create(null) as JsonObject;
    this.at += 1;
    for (;;) {
      this.skip();
      if (this.take('}')) return members;
      const name = scalar(this.scalarText(/[^,[\]{}:\n]*/y));
      if (typeof name !== 'string' || name in members || !this.take(':') || !/[ [{"']/.test(this.text.charAt(this.at))) unreadable('a name in a flow mapping');
      else members[name] = this.value(depth + 1);
      this.skip();
      if (this.take('}')) return members;
      if (!this.take(',')) unreadable('a mapping that goes on over lines, or is malformed');
    }
  }

  private scalarText(plain: RegExp): string {
    const quoted = this.match(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/y);
    if (quoted !== undefined) {
      this.skip();
      return quoted;
    }
    const text = (this.match(plain) ?? '').trimEnd();
    return text === '' || text.includes(' #') ? unreadable('an empty place in a flow collection') : text;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private skip(): void {
    this.match(/ */y);
  }

  private take(character: string): boolean {
    const found = this.text.charAt(this.at) === character;
    if (found) this.at += 1;
    return found;
  }
}

function withoutComment(text: string): string {
  if (text.startsWith('#')) return '';
  const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(text)?.[0] ?? '';
  const rest = text.slice(quoted.length);
  const comment = rest.search(/ #/);
  return (quoted + (comment < 0 ? rest : rest.slice(0, comment))).trimEnd();
}

function scalar(text: string): Json {
  if (/^'(?:[^']|'')*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (/^"(?:[^"\\]|\\.)*"$/.test(text)) {
    // The escapes that JSON has too mean the same.
    if (/\\[^"\\/bfnrtu]/.test(text.replaceAll('\\\\', ''))) unreadable('an escape that JSON does not have');
    return JSON.parse(text) as string;
  }
  if (text === '' || text === 'null' || text === '~') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^(?:0|-?[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  if (AMBIGUOUS.test(text)) unreadable(`the plain scalar \`${text.slice(0, 40)}\``);
  if (/^[,[\]{}#&*!|>'"%@`]|^[-?:](?: |$)|: |:$| #/.test(text)) unreadable('a scalar that begins with an indicator');
  return text;
}
