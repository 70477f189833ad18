/** The active policy bundle, as far as a request's verdict is by it. */
import { queryOptions } from '@tanstack/react-query';
import { answered, api, type Schema } from '../../client/client';
import { canonicalize } from '../../verify/canonical';
import { sha256Hex } from '../../verify/digest';

export const policyQuery = queryOptions({
  queryKey: ['policy'],
  queryFn: () => answered(api.GET('/api/v1/policy')),
});

type Files = Schema<'PolicyView'>['files'];

/**
 * A file of the bundle with that digest: the list of files makes the digest, and the list names the file's own.
 *
 * @throws ProblemError; Error when it is not what the digest stands for.
 */
export async function policyFile(policy: string, files: Files, path: string): Promise<string> {
  if ((await bundleDigest(files)) !== policy) throw new Error('the files that the server lists do not make the digest in the verdict');
  const text = await answered(api.GET('/api/v1/policy/files/{path}', { params: { path: { path } }, parseAs: 'text' }) as Promise<{ data?: string; response: Response }>);
  const listed = files.find((file) => file.path === path)?.sha256;
  if ((await sha256Hex(text)) !== listed) throw new Error(`\`${path}\` is not the file of that bundle`);
  return text;
}

const MANIFEST = '.manifest';

/** SHA-256 of JCS([[path, sha256], …]) in the order of paths, without OPA's own manifest. */
export async function bundleDigest(files: Files): Promise<string> {
  const listed = files.filter(({ path }) => path !== MANIFEST).map(({ path, sha256 }) => [path, sha256] as const);
  return sha256Hex(canonicalize(listed.sort(([left], [right]) => (left < right ? -1 : 1)).map((pair) => [...pair])));
}

/** The rule of Rego in which a line (1 for the first) stands: from where it begins at the margin to its closing brace. */
export function ruleAt(source: string, line: number): { first: number; text: string } {
  const lines = source.split('\n');
  let first = Math.min(line, lines.length) - 1;
  while (first > 0 && !/^[a-z]/.test(lines[first] ?? '')) first -= 1;
  let last = Math.max(first, line - 1);
  while (last < lines.length - 1 && !isEnd(lines, last)) last += 1;
  return { first: first + 1, text: lines.slice(first, last + 1).join('\n') };
}

function isEnd(lines: readonly string[], at: number): boolean {
  return lines[at] === '}' || lines[at + 1]?.trim() === '';
}
