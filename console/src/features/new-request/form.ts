/** The form of an entitlement: one field for each property of its JSON Schema, in the order in which it requires them. */
import { isObject, type Json, type JsonObject } from '../../verify/canonical';

/** How a field is filled in. */
export type FieldKind = 'text' | 'choice' | 'flag' | 'number' | 'json';

/** From so many characters on a text has several lines. */
const LONG_TEXT = 256;

export interface Field {
  name: string;
  kind: FieldKind;
  label: string;
  description: string | undefined;
  required: boolean;
  /** What may be chosen; of any type in the schema, written as text here. */
  options: readonly { text: string; value: Json }[];
  longest: number | undefined;
  pattern: string | undefined;
  long: boolean;
}

export function fieldsOf(form: JsonObject): Field[] {
  const properties = isObject(form.properties) ? form.properties : {};
  const required = Array.isArray(form.required) ? form.required.map(String) : [];
  const first = required.filter((name) => Object.hasOwn(properties, name));
  const names = [...first, ...Object.keys(properties).filter((name) => !first.includes(name))];
  return names.map((name) => fieldOf(name, properties[name] ?? null, first.includes(name)));
}

function fieldOf(name: string, schema: Json, required: boolean): Field {
  const members = isObject(schema) ? schema : {};
  const values = Array.isArray(members.enum) ? members.enum : members.const === undefined ? [] : [members.const];
  const longest = typeof members.maxLength === 'number' ? members.maxLength : undefined;
  return {
    name,
    kind: kindOf(members, values.length > 0),
    label: said(members.title) ?? name,
    description: said(members.description),
    required,
    options: values.map((value) => ({ text: written(value), value })),
    longest,
    pattern: said(members.pattern),
    long: longest !== undefined && longest >= LONG_TEXT,
  };
}

function kindOf({ type }: JsonObject, chosen: boolean): FieldKind {
  if (chosen) return 'choice';
  if (type === 'boolean') return 'flag';
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'string' || type === undefined ? 'text' : 'json';
}

/** What is in the fields, as text, by their names. */
export type Values = Readonly<Record<string, string>>;

/** The parameters that the fields say. A field that is empty is left out; a text that is no value stays a text, and the schema says so. */
export function parametersOf(fields: readonly Field[], values: Values): JsonObject {
  const filled = fields.map((field) => [field.name, valueOf(field, values[field.name] ?? '')] as const);
  return Object.fromEntries(filled.filter((entry): entry is readonly [string, Json] => entry[1] !== undefined));
}

function valueOf({ kind, options }: Field, text: string): Json | undefined {
  if (text === '') return undefined;
  switch (kind) {
    case 'text':
      return text;
    case 'choice':
      return options.find((option) => option.text === text)?.value ?? text;
    case 'flag':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'number':
      return /^-?\d{1,16}$/.test(text.trim()) ? Number(text) : text;
    case 'json':
      return parsed(text);
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** The values that these parameters stand in the fields as. */
export function valuesOf(parameters: JsonObject): Values {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, written(value)]));
}

function written(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function said(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
