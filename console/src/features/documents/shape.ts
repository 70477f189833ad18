/** Reads members of documents with their types; a member of another type cannot be shown, so it cannot be signed. */
import { isObject, type Json, type JsonObject } from '../../verify/canonical';

export function text(what: string, value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`${what} is no text`);
  return value;
}

/** A whole number that is not negative. */
export function count(what: string, value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error(`${what} is no count`);
  return value;
}

/** A whole number. */
export function points(what: string, value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Error(`${what} is no number`);
  return value;
}

export function list<Item>(what: string, value: Json | undefined, read: (what: string, item: Json) => Item): Item[] {
  if (!Array.isArray(value)) throw new Error(`${what} is no list`);
  return value.map((item) => read(what, item));
}

export function object(what: string, value: Json | undefined): JsonObject {
  if (!isObject(value)) throw new Error(`${what} is no object`);
  return value;
}

/** What is there only sometimes. */
export function optional<Item>(value: Json | undefined, read: (value: Json) => Item): Item | undefined {
  return value === undefined ? undefined : read(value);
}
