/** A request as its requester sees it: read from the signed texts, held to what the server says beside them. */
import type { Schema } from '../../client/client';
import { sha256Hex } from '../../verify/digest';
import { reveal, type Disclosed } from '../documents/disclosures';
import { Findings } from '../documents/findings';
import { examineRequest, type ReadRequest } from '../documents/request';
import { examineVerdict, type ReadVerdict } from '../documents/verdict';

export type RequestSaid = Schema<'RequestView'>;

export interface LoadedRequest {
  view: RequestSaid;
  request: ReadRequest;
  verdict: ReadVerdict;
  disclosed: Disclosed;
}

/** @throws Different when one thing is not what it is said to be. */
export async function loadRequest(view: RequestSaid, id: string, logOrigin: string): Promise<LoadedRequest> {
  const findings = new Findings();
  const request = await findings.collect('request document', () => examineRequest(findings, view, id, logOrigin));
  const verdict = await findings.collect('verdict', () => examineVerdict(findings, view));
  const disclosed = request && (await findings.collect('contents', () => reveal(findings, request.content.concealed, view.disclosures)));
  if (verdict) findings.same('policy input digest', verdict.content.input_sha256, await sha256Hex(view.input));
  return findings.settle(request && verdict && disclosed && { view, request, verdict, disclosed });
}
