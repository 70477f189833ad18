/** Who a selector means (docs/spec/policy.md), in words. */
import { admin } from '../../strings/admin';
import { canonicalize, isObject, type Json } from '../../verify/canonical';

/** In words; a selector that is not known here is given as it is written. */
export function selectorWords(selector: Json | undefined): string {
  const text = admin.entitlements;
  if (selector === undefined) return text.everybody;
  if (!isObject(selector)) return canonicalize(selector);
  const entries = Object.entries(selector);
  const [only] = entries;
  if (!only || entries.length > 1) return canonicalize(selector);
  const [name, value] = only;
  if (name === 'any' && Array.isArray(value)) return joined(value, text.any);
  if (name === 'all' && Array.isArray(value)) return joined(value, text.all);
  if (name === 'not') return `${text.not} ${selectorWords(value)}`;
  if (name === 'role' && typeof value === 'string') return text.role(value);
  if (name === 'person' && typeof value === 'string') return text.person(value);
  if (name === 'manager_of') return text.managerOf;
  if (name === 'attribute' && isObject(value)) {
    return Object.entries(value).map(([attribute, wanted]) => text.attribute(attribute, String(wanted))).join(` ${text.all} `);
  }
  return canonicalize(selector);
}

function joined(parts: readonly Json[], word: string): string {
  const nested = (part: Json) => isObject(part) && ('any' in part || 'all' in part);
  return parts.map((part) => (nested(part) ? `(${selectorWords(part)})` : selectorWords(part))).join(` ${word} `);
}
