/** The entitlement as the request document names it: data counts only when it has the digest that was signed. */
import { answered, api, ProblemError } from '../../client/client';
import { canonicalize, isObject, type Json, type JsonObject } from '../../verify/canonical';
import { sha256Hex } from '../../verify/digest';
import type { RequestContent } from '../documents/request';

/**
 * The data with the digest that the document names: from the policy input, else from the active bundle; `undefined`
 * when policy has moved on and neither has it.
 */
export async function entitlementData({ entitlement }: RequestContent, input: Json | undefined): Promise<JsonObject | undefined> {
  const recorded = isObject(input) ? input.entitlement : undefined;
  if (await hasDigest(recorded, entitlement.sha256)) return recorded as JsonObject;
  const active = await activeData(entitlement.name);
  return (await hasDigest(active, entitlement.sha256)) ? (active as JsonObject) : undefined;
}

export async function hasDigest(data: unknown, sha256: string): Promise<boolean> {
  return isObject(data) && (await sha256Hex(canonicalize(data))) === sha256;
}

async function activeData(name: string): Promise<unknown> {
  try {
    return (await answered(api.GET('/api/v1/entitlements/{name}', { params: { path: { name } } }))).data;
  } catch (fault) {
    // Its title is a convenience; without it the name alone is shown.
    if (fault instanceof ProblemError) return undefined;
    throw fault;
  }
}

/** Its title, when it has one. */
export function titleOf(data: JsonObject | undefined): string | undefined {
  return typeof data?.title === 'string' ? data.title : undefined;
}

/** What it reaches, in the words of its data with the parameters in them; a sentence whose parameter was left out is none. */
export function reachOf(data: JsonObject | undefined, parameters: JsonObject): string[] {
  const sentences = Array.isArray(data?.blast_radius) ? data.blast_radius.filter((one) => typeof one === 'string') : [];
  return sentences.flatMap((sentence) => filled(sentence, parameters) ?? []);
}

function filled(sentence: string, parameters: JsonObject): string | undefined {
  let whole = true;
  const text = sentence.replace(/\{([^}]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    whole &&= ['string', 'number', 'boolean'].includes(typeof value);
    return String(value);
  });
  return whole ? text : undefined;
}

/** Names of the parameters in the order of its form; those the form does not know come last. */
export function parameterNames(parameters: JsonObject, data: JsonObject | undefined): string[] {
  const form = isObject(data?.form) && isObject(data.form.properties) ? Object.keys(data.form.properties) : [];
  const required = isObject(data?.form) && Array.isArray(data.form.required) ? data.form.required.map(String) : [];
  const order = [...required, ...form];
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.keys(parameters).sort((left, right) => rank(left) - rank(right));
}
