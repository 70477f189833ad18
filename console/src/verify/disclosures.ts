/** Clear values beside commitments (SD-JWT, RFC 9901, as `chancery-canonical` uses it). */

import { isObject, MAX_DEPTH, parseJson, parseStrict, type Json, type JsonObject } from './canonical';
import type { Finding } from './checks';
import type { Files } from './container';
import { fromBase64Url, hex, sha256Hex } from './digest';
import { decisionDocument, decode } from './documents';
import type { EventLeaf } from './events';
import { DISCLOSURE_PREFIX, disclosuresPath, REQUEST_DISCLOSURES } from './layout';
import type { Contents } from './log';
import type { Asking } from './requester';
import { list, reason, refuse, text } from './shape';
import type { Verdict } from './verdicts';

const DIGESTS = '_sd';
const RESERVED = new Set([DIGESTS, '_sd_alg', '...']);
const MAX_ENCODED_BYTES = 64 * 1024;

interface Disclosure {
  /** SHA-256 of the encoded text. */
  digest: string;
  name: string;
  value: Json;
}

/** Every disclosure of the bundle that was found to belong somewhere. */
export interface Disclosed {
  /** The request document with its members in place. */
  request: Json | undefined;
  /** Beside leaves, by index: names with values. */
  leaves: Map<number, [string, Json][]>;
  /** How many commitments have no clear value here. */
  withheld: number;
}

export async function disclosures(files: Files, asking: Asking, verdicts: readonly Verdict[], contents: Contents): Promise<Finding<Disclosed>> {
  const disclosed: Disclosed = { request: undefined, leaves: new Map(), withheld: 0 };
  const problems: string[] = [];
  const known = new Set([REQUEST_DISCLOSURES]);
  const attempt = async (path: string, check: () => Promise<void>): Promise<void> => {
    known.add(path);
    await check().catch((error: unknown) => problems.push(`\`${path}\`: ${reason(error)}`));
  };
  await attempt(REQUEST_DISCLOSURES, async () => {
    const { value, missing } = reveal(parseStrict(asking.canonical), await read(files, REQUEST_DISCLOSURES));
    disclosed.request = value;
    disclosed.withheld += missing;
  });
  for (const { disclosuresPath: path, input } of verdicts) {
    await attempt(path, async () => {
      reveal(input, await read(files, path));
    });
  }
  for (const [index, content] of contents) {
    if (!('event' in content)) continue;
    await attempt(disclosuresPath(index), async () => {
      const { clear, missing } = besideLeaf(content.event, await read(files, disclosuresPath(index)));
      disclosed.leaves.set(index, clear);
      disclosed.withheld += missing;
    });
  }
  for (const path of files.keys()) {
    if (path.startsWith(DISCLOSURE_PREFIX) && !known.has(path)) problems.push(`\`${path}\` belongs to nothing in the bundle`);
  }
  return { value: disclosed, problems };
}

/** A canonical JSON array of encoded disclosures; a file that is not there discloses nothing. */
async function read(files: Files, path: string): Promise<Disclosure[]> {
  const bytes = files.get(path);
  return bytes === undefined ? [] : Promise.all(list(text)(parseStrict(bytes)).map(parseDisclosure));
}

/** `base64url([salt, name, value])`. */
async function parseDisclosure(encoded: string): Promise<Disclosure> {
  const bytes = encoded.length <= MAX_ENCODED_BYTES ? fromBase64Url(encoded) : undefined;
  const content = parseJson(bytes ?? refuse('disclosure is not strict base64url'));
  const [salt, name, value, ...rest] = Array.isArray(content) ? content : [];
  if (typeof salt !== 'string' || typeof name !== 'string' || value === undefined || rest.length > 0) return refuse('disclosure is not `[salt, name, value]`');
  const saltLength = fromBase64Url(salt)?.length ?? 0;
  if (saltLength < 16 || saltLength > 64) refuse('salt is not base64url of 16 to 64 bytes');
  if (RESERVED.has(name)) refuse(`member name \`${name}\` is reserved`);
  return { digest: await sha256Hex(encoded), name, value };
}

/** Disclosures beside a leaf: of its `_sd` digests, and of the reason that a decision names by digest. */
function besideLeaf(leaf: EventLeaf, given: Disclosure[]): { clear: [string, Json][]; missing: number } {
  const committed = new Set<string>();
  collect(leaf.body, committed);
  const why = reasonDigest(leaf);
  if (why !== undefined) committed.add(why);
  const clear = given.map(({ digest, name, value }): [string, Json] => {
    if (!committed.delete(digest)) refuse(`the disclosure of \`${name}\` belongs to nothing in the leaf`);
    return [name, value];
  });
  return { clear, missing: committed.size };
}

function reasonDigest({ kind, body }: EventLeaf): string | undefined {
  if (kind !== 'decision.recorded' || typeof body.document !== 'string') return undefined;
  try {
    return decode(decisionDocument, body.document).reason_sha256;
  } catch {
    return undefined;
  }
}

function collect(value: Json, into: Set<string>): void {
  if (Array.isArray(value)) value.forEach((element) => collect(element, into));
  if (!isObject(value)) return;
  const digests = value[DIGESTS];
  if (Array.isArray(digests)) digests.map(digestOf).forEach((digest) => digest !== undefined && into.add(digest));
  Object.values(value).forEach((member) => collect(member, into));
}

function digestOf(value: Json): string | undefined {
  const bytes = typeof value === 'string' ? fromBase64Url(value) : undefined;
  return bytes?.length === 32 ? hex(bytes) : undefined;
}

/** Puts disclosed members back, at every level, also inside disclosed values. Throws for what does not belong. */
function reveal(document: Json, given: Disclosure[]): { value: Json; missing: number } {
  const revealer = new Revealer(given);
  const value = revealer.value(document, 0);
  return { value, missing: revealer.finish() };
}

class Revealer {
  private readonly waiting = new Map<string, Disclosure>();
  private readonly seen = new Set<string>();
  private missing = 0;

  constructor(given: Disclosure[]) {
    for (const disclosure of given) {
      if (this.waiting.has(disclosure.digest)) refuse('a disclosure occurs twice');
      this.waiting.set(disclosure.digest, disclosure);
    }
  }

  /** How many digests have no disclosure. Throws when a disclosure has no digest. */
  finish(): number {
    for (const { name } of this.waiting.values()) refuse(`disclosure of \`${name}\` belongs to no digest of the document`);
    return this.missing;
  }

  value(value: Json, depth: number): Json {
    // Disclosed values can nest deeper together than each of them was when it was read.
    if (depth > MAX_DEPTH) refuse('disclosed values are nested too deep');
    if (Array.isArray(value)) return value.map((element) => this.element(element, depth));
    return isObject(value) ? this.object(value, depth) : value;
  }

  private element(element: Json, depth: number): Json {
    if (isObject(element) && '...' in element) refuse('concealed array element: only object members can be concealed');
    return this.value(element, depth + 1);
  }

  private object(members: JsonObject, depth: number): JsonObject {
    const revealed = Object.create(null) as JsonObject;
    for (const [name, member] of Object.entries(members)) if (name !== DIGESTS) revealed[name] = this.value(member, depth + 1);
    for (const digest of digestsOf(members[DIGESTS])) {
      if (this.seen.has(digest)) refuse('a digest occurs twice');
      this.seen.add(digest);
      const disclosure = this.waiting.get(digest);
      this.waiting.delete(digest);
      if (disclosure === undefined) this.missing += 1;
      else if (disclosure.name in revealed) refuse(`disclosed member \`${disclosure.name}\` already stands there`);
      else revealed[disclosure.name] = this.value(disclosure.value, depth + 1);
    }
    return revealed;
  }
}

function digestsOf(value: Json | undefined): string[] {
  if (value === undefined) return [];
  const digests = Array.isArray(value) ? value.map(digestOf) : [undefined];
  return digests.map((digest) => digest ?? refuse('`_sd` is not an array of base64url SHA-256 digests'));
}
