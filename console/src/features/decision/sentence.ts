/** The one sentence of a request, from the signed document: who asks to do what, to what, for how long. */
import { canonicalize, type Json, type JsonObject } from '../../verify/canonical';
import { parameterNames } from './entitlement';

const MOST_LENGTH = 60;
const MOST_VALUES = 3;

/** A parameter as text: exactly the signed value. */
export function valueText(value: Json): string {
  return typeof value === 'string' ? value : canonicalize(value);
}

/** The main parameters in short; all of them stand whole further down. */
export function subjectOf(parameters: JsonObject, data: JsonObject | undefined): string {
  const values = parameterNames(parameters, data)
    .map((name) => valueText(parameters[name] ?? null))
    .filter((value) => value !== '');
  const shown = values.slice(0, MOST_VALUES).map((value) => (value.length > MOST_LENGTH ? `${value.slice(0, MOST_LENGTH)}…` : value));
  return shown.join(' · ');
}
