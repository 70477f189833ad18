/** Reading JSON as something: each shape takes a value and gives it typed, or refuses it. Unknown members are refused. */

import { isObject, type Json, type JsonObject } from './canonical';
import { fromBase64Url, hex, isDigest, type Bytes } from './digest';

/** Something that does not hold; the message says what. */
export class Refusal extends Error {
  override name = 'Refusal';
}

/** Throws what does not hold. */
export function refuse(message: string): never {
  throw new Refusal(message);
}

/** What went wrong, in words. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Reads a value; `undefined` stands for a member that is not there. Throws {@link Refusal}. */
export type Shape<T> = (value: Json | undefined) => T;

/** What a shape gives. */
export type Of<S> = S extends Shape<infer T> ? T : never;

export const text: Shape<string> = (value) => (typeof value === 'string' ? value : refuse('it is not a text'));
export const flag: Shape<boolean> = (value) => (typeof value === 'boolean' ? value : refuse('it is neither true nor false'));
export const object: Shape<JsonObject> = (value) => (isObject(value) ? value : refuse('it is not an object'));
export const anything: Shape<Json> = (value) => (value === undefined ? refuse('it is missing') : value);
export const digest: Shape<string> = (value) => (isDigest(value) ? value : refuse('it is not a SHA-256 in hexadecimal digits'));

/** An integer in a range. */
export function integer(minimum: number, maximum: number): Shape<number> {
  return (value) =>
    typeof value === 'number' && value >= minimum && value <= maximum ? value : refuse(`it is not an integer from ${minimum} to ${maximum}`);
}

export const u32 = integer(0, 0xffff_ffff);
export const u64 = integer(0, Number.MAX_SAFE_INTEGER);

/** An identifier: a ULID in its one spelling. */
export const id: Shape<string> = (value) =>
  typeof value === 'string' && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(value) ? value : refuse('it is not an identifier (a ULID)');

/** At most so many bytes, in base64url. */
export function bytes(maximum: number): Shape<Bytes> {
  return (value) => {
    const read = typeof value === 'string' ? fromBase64Url(value) : undefined;
    return read !== undefined && read.length <= maximum ? read : refuse(`it is not base64url of at most ${maximum} bytes`);
  };
}

/** One of these texts. */
export function oneOf<const T extends string>(...allowed: T[]): Shape<T> {
  return (value) => allowed.find((one) => one === value) ?? refuse(`it is none of ${allowed.join(', ')}`);
}

/** Perhaps missing. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value) => (value === undefined || value === null ? undefined : shape(value));
}

/** Perhaps left out. `null` would be a second spelling of that, and signed documents have one each. */
export function whenThere<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value) => (value === undefined ? undefined : shape(value));
}

/** What is taken when a member is missing. */
export function otherwise<T>(shape: Shape<T>, missing: T): Shape<T> {
  return (value) => (value === undefined ? missing : shape(value));
}

/** A list of one kind. */
export function list<T>(shape: Shape<T>): Shape<T[]> {
  return (value) => (Array.isArray(value) ? value.map((element, place) => at(place, shape, element)) : refuse('it is not a list'));
}

/** A list that is left out where it would be empty. */
export function filled<T>(shape: Shape<T>): Shape<T[]> {
  return otherwise((value) => {
    const elements = list(shape)(value);
    return elements.length > 0 ? elements : refuse('an empty list is left out');
  }, []);
}

/** Distinct texts, ascending. */
export const textSet: Shape<Set<string>> = (value) => new Set(list(text)(value).sort());

/** Distinct identifiers, ascending. */
export const idSet: Shape<Set<string>> = (value) => new Set(list(id)(value).sort());

/** Values of one kind by name, ascending. */
export function byName<T>(shape: Shape<T>, name: Shape<string> = text): Shape<Map<string, T>> {
  return (value) => {
    const entries = Object.entries(object(value)).sort(([left], [right]) => (left < right ? -1 : 1));
    return new Map(entries.map(([key, member]) => [at(key, name, key), at(key, shape, member)]));
  };
}

/** Exactly these members. */
export function record<T extends object>(members: { [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  return (value) => {
    const found = object(value);
    const unknown = Object.keys(found).find((name) => !Object.hasOwn(members, name));
    if (unknown !== undefined) refuse(`\`${unknown}\` is not expected`);
    const entries = Object.entries<Shape<unknown>>(members).map(([name, shape]) => [name, at(name, shape, found[name])]);
    return Object.fromEntries(entries) as T;
  };
}

/** One of several records, told apart by its member `kind`. */
export function tagged<T>(kinds: { [kind: string]: Shape<T> }): Shape<T> {
  return (value) => {
    const { kind, ...rest } = object(value);
    const shape = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    return shape === undefined ? refuse(`\`${String(kind)}\` is no kind that is known`) : shape(rest);
  };
}

function at<T>(place: string | number, shape: Shape<T>, value: Json | undefined): T {
  try {
    return shape(value);
  } catch (error) {
    throw new Refusal(`\`${place}\`: ${reason(error)}`);
  }
}

/** Whether both are the same, as shapes give them: sets and maps are ascending, records have one order of members. */
export function sameContent(left: unknown, right: unknown): boolean {
  return JSON.stringify(left, plain) === JSON.stringify(right, plain);
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  return value instanceof Map || value instanceof Set ? [...(value as Iterable<unknown>)] : value;
}
