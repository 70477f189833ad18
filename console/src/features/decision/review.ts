/** All that an approver relies on, read from signed bytes; or the differences that forbid to sign. */
import type { Schema } from '../../client/client';
import { parseStrict, type Json, type JsonObject } from '../../verify/canonical';
import { sha256Hex } from '../../verify/digest';
import { reveal, type Disclosed } from '../documents/disclosures';
import { Findings } from '../documents/findings';
import { examineRequest, type ReadRequest } from '../documents/request';
import { examineVerdict, type ReadVerdict } from '../documents/verdict';
import { loadArtifact, type Artifact } from './artifacts';
import { entitlementData } from './entitlement';

/** What the server says of a request. */
export type View = Schema<'RequestView'>;

export interface Review {
  view: View;
  request: ReadRequest;
  verdict: ReadVerdict;
  artifacts: Artifact[];
  disclosed: Disclosed;
  /** What policy was asked, held to the digest in the verdict. */
  input: Json;
  /** The entitlement's data with the digest that the document names. */
  entitlement: JsonObject | undefined;
}

/** @throws Different when one thing is not what it is said to be. */
export async function loadReview(view: View, id: string, logOrigin: string): Promise<Review> {
  const findings = new Findings();
  const request = await findings.collect('request document', () => examineRequest(findings, view, id, logOrigin));
  const verdict = await findings.collect('verdict', () => examineVerdict(findings, view));
  const contents = request && (await findings.collect('contents', () => loadContents(findings, view, request)));
  const input = verdict && (await findings.collect('policy input', () => examineInput(findings, view, verdict)));
  const entitlement = request && (await entitlementData(request.content, input));
  const whole = request && verdict && contents && input !== undefined;
  return findings.settle(whole ? { view, request, verdict, ...contents, input, entitlement } : undefined);
}

async function loadContents(findings: Findings, view: View, { content }: ReadRequest) {
  const artifacts = await Promise.all(content.artifacts.map((reference) => loadArtifact(findings, content.id, reference)));
  return { artifacts, disclosed: await reveal(findings, content.concealed, view.disclosures) };
}

async function examineInput(findings: Findings, { input: text }: View, verdict: ReadVerdict): Promise<Json> {
  findings.same('policy input digest', verdict.content.input_sha256, await sha256Hex(text));
  return parseStrict(text);
}

/** Whether the whole of what would be approved is on the screen. */
export function isWhole({ artifacts, disclosed }: Pick<Review, 'artifacts' | 'disclosed'>): boolean {
  return artifacts.every(({ unseen }) => unseen === undefined) && disclosed.concealed === 0;
}

/** Whether it asks for more care: the artifact first and whole, and the requester's digits. */
export function isHigh({ verdict }: Pick<Review, 'verdict'>): boolean {
  return !['low', 'medium'].includes(verdict.content.risk.tier);
}
