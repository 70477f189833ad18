/** What policy said: of what, and by which files. That it says it again needs a policy engine, which is not here. */

import { canonicalize, isObject, parseStrict, type Json, type JsonObject } from './canonical';
import type { Finding } from './checks';
import type { Files } from './container';
import { sha256Hex } from './digest';
import type { Directory } from './directory';
import { decode, verdictDocument, type VerdictDocument } from './documents';
import type { Entitlement } from './entitlement';
import { sameJson, type Judged } from './events';
import * as layout from './layout';
import { requestPhase, type Case } from './lifecycle';
import type { Recorded } from './log';
import { moment, secondsSince } from './moment';
import type { Directories } from './people';
import type { Asking } from './requester';
import { byName, reason, refuse, text, textSet } from './shape';

/** How long before it is logged a verdict may have been computed, and how old one may be under which a grant starts. */
export const MAX_AGE_SECONDS = 300;

const MAX_POLICY_FILES = 512;
const MAX_POLICY_FILE_BYTES = 256 * 1024;
const MAX_POLICY_BYTES = 4 * 1024 * 1024;

/** A verdict with what it was computed from. */
export interface Verdict {
  judged: Recorded<Judged>;
  document: VerdictDocument;
  input: Json;
  disclosuresPath: string;
}

/** Throws unless `policy/` is the bundle that this verdict names, of files that a bundle may have. */
export async function checkPolicyDigest(files: Files, judged: Recorded<Judged>): Promise<void> {
  const policy = [...files].filter(([path]) => path.startsWith(layout.POLICY_PREFIX));
  const inside = policy.map(([path, bytes]) => ({ path: path.slice(layout.POLICY_PREFIX.length), bytes }));
  // The digest leaves the manifest out, so a manifest would be evidence that nothing protects.
  if (inside.some(({ path }) => path === '.manifest')) refuse("`policy/.manifest` is not covered by the policy's digest: leave it out");
  const listed = await Promise.all(inside.map(async ({ path, bytes }) => [path, await sha256Hex(bytes)]));
  const [found, named] = [await sha256Hex(canonicalize(listed)), judged.event.policy_sha256];
  if (found !== named) refuse(`the files in \`policy/\` have the digest \`${found}\`, the log names \`${named}\``);
  if (inside.length > MAX_POLICY_FILES) refuse(`a policy has at most ${MAX_POLICY_FILES} files`);
  for (const { path, bytes } of inside) {
    if (!isPolicyPath(path)) refuse(`\`${path}\` is no file of a policy`);
    if (bytes.length > MAX_POLICY_FILE_BYTES) refuse(`\`${path}\` has more than ${MAX_POLICY_FILE_BYTES} bytes`);
  }
  const total = inside.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total > MAX_POLICY_BYTES) refuse(`a policy has at most ${MAX_POLICY_BYTES} bytes`);
  if (!inside.some(({ path }) => path === 'bundle.toml')) refuse('`policy/bundle.toml` is missing');
}

function isPolicyPath(path: string): boolean {
  const parts = path.split('/');
  if (path === 'bundle.toml') return true;
  if (path.length > 200 || parts.length > 8) return false;
  if (path.endsWith('.rego')) return path.endsWith('_test.rego') === path.startsWith('tests/');
  const name = parts.at(-1);
  return name === 'data.yaml' || name === 'data.json' || /^tests\/golden\/[^/]*\.json$/.test(path);
}

/** All verdicts on the current revision. Those that cannot be read are left out for the checks after this one. */
export async function verdictDigest(
  files: Files,
  subject: Case,
  asking: Asking,
  entitlement: Entitlement | undefined,
  directories: Directories,
): Promise<Finding<Verdict[]>> {
  const verdicts: Verdict[] = [];
  const problems: string[] = [];
  for (const judged of subject.judged) {
    const paths = pathsOf(judged);
    try {
      const verdict = await readVerdict(files, judged, paths);
      verdicts.push(verdict);
      const found = factProblems(verdict, asking, entitlement, directories.before(judged.index));
      problems.push(...found.map((problem) => `\`${paths.verdict}\`: its ${problem}`));
    } catch (error) {
      problems.push(`\`${paths.verdict}\`: ${reason(error)}`);
    }
  }
  if (requestPhase(subject) === undefined) problems.push('no verdict of the request phase stands in the log');
  return { value: verdicts, problems };
}

interface Paths {
  verdict: string;
  input: string;
  disclosures: string;
}

function pathsOf({ index, event }: Recorded<Judged>): Paths {
  return event.phase === 'request'
    ? { verdict: layout.VERDICT, input: layout.INPUT, disclosures: layout.INPUT_DISCLOSURES }
    : { verdict: layout.verdictPath(index), input: layout.inputPath(index), disclosures: layout.inputDisclosuresPath(index) };
}

async function readVerdict(files: Files, judged: Recorded<Judged>, paths: Paths): Promise<Verdict> {
  const bytes = files.get(paths.verdict) ?? refuse('it is missing');
  const input = files.get(paths.input) ?? refuse(`\`${paths.input}\` is missing`);
  const { verdict_sha256, input_sha256 } = judged.event;
  if ((await sha256Hex(bytes)) !== verdict_sha256) refuse(`it has another digest than the log names, which is \`${verdict_sha256}\``);
  if ((await sha256Hex(input)) !== input_sha256) refuse(`\`${paths.input}\` has another digest than the log names, which is \`${input_sha256}\``);
  return { judged, document: decode(verdictDocument, bytes), input: parseStrict(input), disclosuresPath: paths.disclosures };
}

/** A verdict beside what it must be about. */
function factProblems({ judged, document, input }: Verdict, asking: Asking, entitlement: Entitlement | undefined, directory: Directory): string[] {
  const members: JsonObject = isObject(input) ? input : {};
  const asked = asking.document;
  const rules: [string, boolean][] = [
    ['outcome is another than in the log', document.verdict === judged.event.outcome],
    ['score is another than in the log', document.risk.score === judged.event.risk_score],
    ['policy is another than in the log', document.policy_sha256 === judged.event.policy_sha256],
    ['input is another than in the log', document.input_sha256 === judged.event.input_sha256],
    ['input is of another phase', members.phase === judged.event.phase],
    ['input is about another request', sameJson(members.request ?? null, parseStrict(asking.canonical))],
    ['input has another entitlement than the policy', entitlement === undefined || sameJson(members.entitlement ?? null, entitlement.data)],
    ['input says of the requester what no identity event says', isPerson(members.requester, asked.requester, directory)],
    ['input says of the beneficiary what no identity event says', isPerson(members.beneficiary, asked.beneficiary.person, directory)],
    ['input is of another time than its place in the log', isFresh(members.now, judged.at)],
  ];
  return rules.filter(([, holds]) => !holds).map(([problem]) => problem);
}

/** Roles and attributes are those of signed events; a name may stand beside them, and is concealed. */
function isPerson(said: Json | undefined, id: string, directory: Directory): boolean {
  const person = directory.person(id);
  if (person === undefined || !isObject(said) || said.person !== id) return false;
  try {
    const roles = canonicalize([...textSet(said.roles)]) === canonicalize([...person.roles].sort());
    const attributes = [...byName(text)(said.attributes)];
    const same = attributes.length === person.attributes.size && attributes.every(([name, value]) => person.attributes.get(name) === value);
    const groups = !Array.isArray(said.groups) || said.groups.length === 0;
    return roles && same && groups;
  } catch {
    return false;
  }
}

function isFresh(now: Json | undefined, at: number): boolean {
  try {
    const said = moment(now);
    return said <= at && secondsSince(at, said) <= MAX_AGE_SECONDS;
  } catch {
    return false;
  }
}
