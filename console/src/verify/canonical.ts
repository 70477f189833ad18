/**
 * Strict JSON reading and RFC 8785 writing, as `chancery-canonical` does both: what two readers could understand
 * differently is refused.
 */

/** A JSON document. Objects that were read here have no prototype, so `__proto__` is a name like any other. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
/** Members by name. */
export interface JsonObject {
  [name: string]: Json;
}

/** How many arrays and objects may stand inside each other. */
export const MAX_DEPTH = 64;
/** The largest document that is read, in bytes. */
export const MAX_BYTES = 8 * 1024 * 1024;

/** A text that is no acceptable JSON document; the message says why. */
export class JsonError extends Error {
  override name = 'JsonError';
}

/** Whether this is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The canonical form (RFC 8785): no white space, members sorted by the UTF-16 code units of their names, only the
 * escapes that are necessary. Members that are `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws JsonError for floats, integers beyond ±(2^53 − 1), lone surrogates, deep nesting, and what JSON has no form of.
 */
export function canonicalize(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return writeInteger(value);
  if (typeof value === 'string') return writeString(value);
  if (typeof value !== 'object') throw new JsonError(`a ${typeof value} has no JSON form`);
  if (depth >= MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) return `[${value.map((element) => write(element, depth + 1)).join(',')}]`;
  return writeObject(value, depth + 1);
}

function writeObject(members: object, depth: number): string {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  // `<` on strings compares UTF-16 code units, which is the order of RFC 8785, section 3.2.3.
  present.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${present.map(([name, value]) => `${writeString(name)}:${write(value, depth)}`).join(',')}}`;
}

function writeInteger(value: number): string {
  if (!Number.isInteger(value)) throw notAnInteger();
  if (!Number.isSafeInteger(value)) throw tooLarge();
  return String(value);
}

function writeString(content: string): string {
  if (!content.isWellFormed()) throw new JsonError('lone surrogate: it names no character');
  // For well-formed text, ECMAScript's escapes are those of RFC 8785, section 3.2.2.2.
  return JSON.stringify(content);
}

/**
 * Reads a document that is exactly its own canonical form, and refuses all others.
 *
 * @throws JsonError
 */
export function parseStrict(text: string | Uint8Array): Json {
  const read = asText(text);
  const value = parseJson(read);
  if (canonicalize(value) !== read) {
    throw new JsonError('document is not in canonical form (RFC 8785): canonicalise it and sign it again');
  }
  return value;
}

/**
 * Reads one JSON document in any spelling that every reader understands in the same way.
 *
 * @throws JsonError for floats (also `1.0`, `1e2`, `-0`), integers beyond ±(2^53 − 1), duplicate names, invalid UTF-8,
 * lone surrogates, nesting deeper than {@link MAX_DEPTH}, text after the document, and more than {@link MAX_BYTES}.
 */
export function parseJson(text: string | Uint8Array): Json {
  return new Reader(asText(text)).document();
}

function asText(text: string | Uint8Array): string {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  if (bytes.length > MAX_BYTES) throw new JsonError(`document is larger than ${MAX_BYTES} bytes: send a smaller one`);
  if (typeof text === 'string') {
    if (!text.isWellFormed()) throw new JsonError('lone surrogate: it names no character');
    return text;
  }
  return decodeUtf8(bytes) ?? refuse('document is not valid UTF-8: encode it as UTF-8');
}

/** The text, a byte order mark included; `undefined` for invalid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function refuse(message: string): never {
  throw new JsonError(message);
}

function tooDeep(): JsonError {
  return new JsonError(`document is nested deeper than ${MAX_DEPTH} levels: flatten it`);
}

function notAnInteger(): JsonError {
  return new JsonError('number is not a plain integer: write it as an integer or as a string');
}

function tooLarge(): JsonError {
  return new JsonError(`integer is beyond ±${Number.MAX_SAFE_INTEGER}: write it as a string`);
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** The grammar of RFC 8259. `JSON.parse` cannot say whether a name was repeated or a number written as a float. */
class Reader {
  private readonly text: string;
  private offset = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Json {
    this.skipSpace();
    const value = this.value(0);
    this.skipSpace();
    if (this.offset < this.text.length) throw new JsonError(`text after the document at character ${this.offset}: remove it`);
    return value;
  }

  private value(depth: number): Json {
    switch (this.peek()) {
      case '{':
        return this.object(depth + 1);
      case '[':
        return this.array(depth + 1);
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.integer();
    }
  }

  private object(depth: number): JsonObject {
    this.open(depth);
    const members = Object.create(null) as JsonObject;
    if (this.take('}')) return members;
    for (;;) {
      this.skipSpace();
      const name = this.string();
      this.skipSpace();
      this.expect(':');
      this.skipSpace();
      const value = this.value(depth);
      if (name in members) throw new JsonError(`member \`${name}\` occurs twice in one object: keep one`);
      members[name] = value;
      this.skipSpace();
      if (this.take('}')) return members;
      this.expect(',');
    }
  }

  private array(depth: number): Json[] {
    this.open(depth);
    const elements: Json[] = [];
    if (this.take(']')) return elements;
    for (;;) {
      this.skipSpace();
      elements.push(this.value(depth));
      this.skipSpace();
      if (this.take(']')) return elements;
      this.expect(',');
    }
  }

  private open(depth: number): void {
    if (depth > MAX_DEPTH) throw tooDeep();
    this.offset += 1;
    this.skipSpace();
  }

  private integer(): number {
    const [written] = this.match(/-?[0-9]*/y);
    const digits = written.replace('-', '');
    if (digits === '') throw this.syntax('a value');
    if (digits.length > 1 && digits.startsWith('0')) throw this.syntax('a number without leading zeros');
    if (written === '-0' || /[.eE]/.test(this.peek())) throw notAnInteger();
    const value = Number(written);
    if (!Number.isSafeInteger(value)) throw tooLarge();
    return value;
  }

  private string(): string {
    this.expect('"');
    let content = '';
    for (;;) {
      content += this.match(/[^"\\\u0000-\u001f]*/y)[0];
      if (this.take('"')) return content;
      if (this.peek() !== '\\') throw this.syntax('`"` after a string, and control characters escaped');
      content += this.escape();
    }
  }

  private escape(): string {
    const [, pair, single] = this.match(/\\u([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|/y);
    if (pair !== undefined) return String.fromCharCode(parseInt(pair.slice(0, 4), 16), parseInt(pair.slice(6), 16));
    if (single !== undefined) {
      const character = String.fromCharCode(parseInt(single, 16));
      if (!character.isWellFormed()) throw new JsonError(`lone surrogate before character ${this.offset}: escape both halves`);
      return character;
    }
    const short = SHORT_ESCAPES.get(this.text.charAt(this.offset + 1));
    if (short === undefined) throw this.syntax('an escape character');
    this.offset += 2;
    return short;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.offset)) throw this.syntax('`true`, `false` or `null`');
    this.offset += word.length;
    return value;
  }

  /** Steps over what a sticky pattern matches here; every pattern above also matches nothing. */
  private match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.text);
    if (found === null) throw this.syntax('a value');
    this.offset += found[0].length;
    return found;
  }

  private expect(character: string): void {
    if (!this.take(character)) throw this.syntax(`\`${character}\``);
  }

  private take(character: string): boolean {
    const found = this.peek() === character;
    if (found) this.offset += 1;
    return found;
  }

  private skipSpace(): void {
    this.match(/[ \t\n\r]*/y);
  }

  private peek(): string {
    return this.text.charAt(this.offset);
  }

  private syntax(expected: string): JsonError {
    return new JsonError(`invalid JSON at character ${this.offset}: ${expected} was expected`);
  }
}
