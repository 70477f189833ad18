/** `evidence.json`: what the bundle holds, and which leaves it needs. */

import { canonicalize, parseStrict } from './canonical';
import type { Finding } from './checks';
import type { Files } from './container';
import { equal, sha256Hex, utf8 } from './digest';
import * as layout from './layout';
import { byName, digest, id, list, oneOf, otherwise, reason, record, refuse, text, u64 } from './shape';

export interface Manifest {
  type: 'urn:chancery:evidence:v1';
  origin: string;
  request: string;
  request_sha256: string;
  leaves: number[];
  identity: Map<string, number[]>;
  policy: number[];
  trust: number[];
  files: { path: string; sha256: string; size: number }[];
}

const indices = list(u64);
const shape = record<Manifest>({
  type: oneOf('urn:chancery:evidence:v1'),
  origin: text,
  request: id,
  request_sha256: digest,
  leaves: indices,
  identity: byName(indices, id),
  policy: indices,
  trust: otherwise(indices, []),
  files: list(record<Manifest['files'][number]>({ path: text, sha256: digest, size: u64 })),
});

/** Every leaf of every list, ascending. */
export function allLeaves(manifest: Manifest): number[] {
  const lists = [manifest.leaves, ...manifest.identity.values(), manifest.policy, manifest.trust];
  return [...new Set(lists.flat())].sort((left, right) => left - right);
}

/** Reads `evidence.json`, and sees that no other file stands in the bundle than it lists or its leaves call for. */
export function readManifest(files: Files): Finding<Manifest> {
  try {
    const manifest = shape(parseStrict(files.get(layout.MANIFEST) ?? refuse('`evidence.json` is missing: this is not an evidence bundle')));
    return { value: manifest, problems: [...listing(files, manifest), ...lists(manifest), ...unexpected(files, manifest), ...summaries(files, manifest)] };
  } catch (error) {
    return { value: undefined, problems: [reason(error)] };
  }
}

function listing(files: Files, manifest: Manifest): string[] {
  const paths = manifest.files.map((file) => file.path);
  const listed = new Set(paths);
  const problems: string[] = [];
  if (!ascending(paths)) problems.push('`files` is not in ascending order, or lists a path twice');
  for (const path of files.keys()) {
    if (path !== layout.MANIFEST && !listed.has(path)) problems.push(`\`${path}\` is in the zip and not listed in \`evidence.json\``);
  }
  for (const path of listed) if (!files.has(path)) problems.push(`\`${path}\` is listed in \`evidence.json\` and missing`);
  if (listed.has(layout.MANIFEST)) problems.push('`evidence.json` lists itself');
  return problems;
}

function lists(manifest: Manifest): string[] {
  const each = [...manifest.identity.values(), manifest.leaves, manifest.policy, manifest.trust];
  const all = each.flat();
  const problems: string[] = [];
  if (!each.every(ascending) || new Set(all).size !== all.length) problems.push('a list of leaves is not ascending, or a leaf stands in two lists');
  if (manifest.leaves.length === 0) problems.push('no leaf of the request is listed');
  return problems;
}

function ascending(list: readonly (string | number)[]): boolean {
  return list.every((one, place) => place === 0 || (list[place - 1] ?? one) < one);
}

/** Evidence that no check would read is refused: it could be taken for checked. */
function unexpected(files: Files, manifest: Manifest): string[] {
  const named = [layout.MANIFEST, layout.REQUEST, layout.VERDICT, layout.INPUT, layout.CHECKPOINT];
  const everyLeaf = [layout.leafPath, layout.proofPath, layout.disclosuresPath, layout.attestationPath];
  const requestLeaf = [layout.verdictPath, layout.inputPath, layout.inputDisclosuresPath];
  const expected = new Set([
    ...[...named, layout.REQUEST_DISCLOSURES, layout.INPUT_DISCLOSURES],
    ...[...manifest.identity.keys()].map(layout.identityPath),
    ...allLeaves(manifest).flatMap((index) => everyLeaf.map((path) => path(index))),
    ...manifest.leaves.flatMap((index) => requestLeaf.map((path) => path(index))),
  ]);
  const prefixes = [layout.POLICY_PREFIX, layout.CREDENTIAL_PREFIX, layout.REGISTRATION_PREFIX];
  const loose = [...files.keys()].filter(
    (path) => layout.isEvidence(path) && !prefixes.some((prefix) => path.startsWith(prefix)) && !expected.has(path),
  );
  return loose.map((path) => `\`${path}\` is no file that evidence of these leaves has`);
}

/** `identity/<person>.json` repeats the manifest for readers who look there; it must say the same. */
function summaries(files: Files, manifest: Manifest): string[] {
  const wrong = [...manifest.identity].filter(([person, leaves]) => {
    const found = files.get(layout.identityPath(person));
    return found === undefined || !equal(found, utf8(canonicalize({ person, leaves })));
  });
  return wrong.map(([person]) => `\`${layout.identityPath(person)}\` does not list the leaves that \`evidence.json\` lists for this person`);
}

/** The files that do not have the bytes that are listed. */
export async function changedFiles(files: Files, manifest: Manifest): Promise<string[]> {
  const problems: string[] = [];
  for (const { path, sha256, size } of manifest.files) {
    const bytes = files.get(path);
    if (bytes !== undefined && (bytes.length !== size || (await sha256Hex(bytes)) !== sha256)) {
      problems.push(`\`${path}\` does not have the bytes that \`evidence.json\` lists`);
    }
  }
  return problems;
}
