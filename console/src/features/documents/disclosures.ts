/** Salted disclosures (RFC 9901): words of people that stand in a document as digests, so that they can be erased. */
import { decodeUtf8, parseJson, type Json } from '../../verify/canonical';
import { fromBase64Url, sha256, toBase64Url, utf8 } from '../../verify/digest';
import type { Findings } from './findings';

export interface Disclosed {
  /** By name, such as `justification`. */
  values: Map<string, Json>;
  /** Digests for which nobody gave the words: erased, or withheld. */
  concealed: number;
}

/** Each disclosure must hash to a digest that the document holds; none counts twice. */
export async function reveal(findings: Findings, digests: readonly string[], disclosures: readonly string[]): Promise<Disclosed> {
  const values = new Map<string, Json>();
  let matched = 0;
  for (const encoded of disclosures) {
    const digest = toBase64Url(await sha256(utf8(encoded)));
    findings.holds('disclosure', digests.includes(digest), `no digest in the document stands for ${encoded}`);
    const { name, value } = readDisclosure(encoded);
    findings.holds('disclosure', !values.has(name), 'is given twice');
    values.set(name, value);
    matched += 1;
  }
  return { values, concealed: digests.length - matched };
}

/** @throws Error for what is no disclosure. */
export function readDisclosure(encoded: string): { name: string; value: Json } {
  const bytes = fromBase64Url(encoded);
  const decoded = bytes && decodeUtf8(bytes);
  const parts = decoded === undefined ? undefined : parseJson(decoded);
  if (!Array.isArray(parts) || parts.length !== 3) throw new Error('a disclosure is malformed');
  const [salt, name, value] = parts;
  if (typeof salt !== 'string' || typeof name !== 'string' || value === undefined) throw new Error('a disclosure is malformed');
  return { name, value };
}
