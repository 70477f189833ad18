/** The files that are approved: fetched whole, held to their digests, or not shown and then not approvable. */
import { answeredBytes, api, ProblemError } from '../../client/client';
import { decodeUtf8 } from '../../verify/canonical';
import { sha256Hex } from '../../verify/digest';
import type { Findings } from '../documents/findings';
import type { ArtifactReference } from '../documents/request';

/** Why a file is not shown whole. */
export type Unseen = { why: 'too_long' | 'not_text' } | { why: 'not_fetched'; reason: string };

export interface Artifact {
  reference: ArtifactReference;
  /** The whole text; absent when it cannot be shown. */
  text: string | undefined;
  unseen: Unseen | undefined;
}

export const MAX_ARTIFACT_BYTES = 512 * 1024;

/** Fetches a file. What came must have the size and digest that were signed. */
export async function loadArtifact(findings: Findings, id: string, reference: ArtifactReference): Promise<Artifact> {
  if (reference.size > MAX_ARTIFACT_BYTES) return { reference, text: undefined, unseen: { why: 'too_long' } };
  try {
    const bytes = await fetchArtifact(id, reference.sha256);
    return await examineArtifact(findings, reference, bytes);
  } catch (fault) {
    if (!(fault instanceof ProblemError)) throw fault;
    return { reference, text: undefined, unseen: { why: 'not_fetched', reason: fault.message || fault.problem.code } };
  }
}

export async function examineArtifact(findings: Findings, reference: ArtifactReference, bytes: Uint8Array): Promise<Artifact> {
  findings.same(`artifact ${reference.name}, size`, reference.size, bytes.length);
  findings.same(`artifact ${reference.name}, digest`, reference.sha256, await sha256Hex(bytes));
  const text = decodeUtf8(bytes);
  if (text === undefined || text.includes('\0')) return { reference, text: undefined, unseen: { why: 'not_text' } };
  return { reference, text, unseen: undefined };
}

function fetchArtifact(id: string, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
  return answeredBytes(api.GET('/api/v1/requests/{id}/artifacts/{sha256}', { params: { path: { id, sha256 } }, parseAs: 'arrayBuffer' }));
}
