/** A leaf's content with the documents in it opened, to be read. The text that counts is shown beside it. */
import { isObject, parseJson, type Json } from '../../verify/canonical';

export function opened(value: Json): Json {
  if (Array.isArray(value)) return value.map(opened);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, name === 'document' ? document(member) : opened(member)]));
}

function document(member: Json): Json {
  if (typeof member !== 'string') return opened(member);
  try {
    const read = parseJson(member);
    return isObject(read) ? read : member;
  } catch {
    return member;
  }
}
