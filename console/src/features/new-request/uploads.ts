/** Files go to the server by their content, before a draft may name them. */
import { problemOf, LOCAL_CODES, ProblemError, type Schema } from '../../client/client';
import { sha256Hex } from '../../verify/digest';

type Reference = Schema<'ArtifactReference'>;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  sql: 'application/sql',
  json: 'application/json',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  txt: 'text/plain',
  diff: 'text/plain',
  patch: 'text/plain',
  sh: 'text/plain',
};

/** By the end of the name, as the command line has it. */
export function mediaTypeOf(name: string): string {
  return MEDIA_TYPES[/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

/**
 * Puts a file, and gives how a draft names it: by the digest that was computed here.
 *
 * @throws ProblemError
 */
export async function putFile(file: File): Promise<Reference> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const reference = { name: file.name, media_type: mediaTypeOf(file.name), size: bytes.length, sha256: await sha256Hex(bytes) };
  const response = await fetch(`/api/v1/artifacts/${reference.sha256}`, {
    method: 'PUT',
    headers: { 'content-type': reference.media_type },
    body: bytes,
    cache: 'no-store',
    redirect: 'error',
  }).catch(() => undefined);
  if (!response) throw new ProblemError({ status: 0, code: LOCAL_CODES.unreachable, reason: '', remedy: '', request_id: '', errors: [] });
  if (!response.ok) throw problemOf(response, await response.json().catch(() => undefined));
  return reference;
}

/** The files with one more; one of the same name takes the place of the other. */
export function withFile(files: readonly Reference[], added: Reference): Reference[] {
  return [...files.filter(({ name }) => name !== added.name), added];
}
