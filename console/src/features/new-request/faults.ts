/** What the form's own schema says against the parameters. The server asks the same schema again. */
import { Validator, type OutputUnit, type Schema } from '@cfworker/json-schema';
import { newRequest as texts } from '../../strings/new-request';
import { isObject, type JsonObject } from '../../verify/canonical';
import type { Field } from './form';

export interface Faults {
  /** By the field's name. */
  fields: ReadonlyMap<string, string>;
  /** What is not about one field. */
  others: readonly string[];
}

// These say only that something within them failed. A property that failed counts as an additional one as well, and
// what the form does not know is never among the parameters.
const AROUND = ['additionalProperties', 'unevaluatedProperties', 'false', 'properties', 'items', 'prefixItems', 'allOf', 'anyOf', 'oneOf', '$ref', 'if', 'then', 'else', 'dependentSchemas', 'patternProperties'];

export function faultsOf(form: JsonObject, fields: readonly Field[], parameters: JsonObject): Faults {
  const found = new Map<string, string>();
  const others: string[] = [];
  for (const { name, required } of fields) {
    if (required && !Object.hasOwn(parameters, name)) found.set(name, texts.fault.required);
  }
  const validator = new Validator(form as Schema, '2020-12', false);
  for (const unit of validator.validate(parameters).errors) {
    const name = fieldOf(unit);
    const field = fields.find((one) => one.name === name);
    if (field) {
      if (!AROUND.includes(unit.keyword) && !found.has(field.name)) found.set(field.name, message(unit, field, form));
    } else if (!AROUND.includes(unit.keyword) && unit.keyword !== 'required') {
      others.push(unit.error);
    }
  }
  return { fields: found, others };
}

/** The first part of the JSON Pointer that is in the unit's location. */
function fieldOf({ instanceLocation }: OutputUnit): string | undefined {
  const part = instanceLocation.split('/')[1];
  return part === undefined ? undefined : decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
}

function message({ keyword, error, instanceLocation }: OutputUnit, field: Field, form: JsonObject): string {
  if (instanceLocation.split('/').length > 2) return error;
  const schema = isObject(form.properties) ? form.properties[field.name] : undefined;
  const limit = isObject(schema) ? schema[keyword] : undefined;
  const text = texts.fault;
  switch (keyword) {
    case 'pattern':
      return text.pattern(field.pattern ?? '');
    case 'maxLength':
      return text.maxLength(Number(limit));
    case 'minLength':
      return text.minLength(Number(limit));
    case 'minimum':
      return text.minimum(Number(limit));
    case 'maximum':
      return text.maximum(Number(limit));
    case 'enum':
    case 'const':
      return text.choice;
    case 'type':
      return text.type[field.kind];
    default:
      return error;
  }
}
