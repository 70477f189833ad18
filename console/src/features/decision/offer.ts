/** The decision document that the server offers for signing, held to what is on the screen. */
import { type Schema } from '../../client/client';
import { fromBase64Url, sha256Hex } from '../../verify/digest';
import { readDisclosure } from '../documents/disclosures';
import { Findings } from '../documents/findings';
import { examineOffer, readDocument, type SignedDocument } from '../documents/read';
import { count, list, object, text } from '../documents/shape';
import { moment } from '../../ui/format';
import type { Review } from './review';

/** What a person wants to sign. */
export interface Wish {
  kind: 'approve' | 'reject' | 'withdraw' | 'revoke';
  /** Empty when there is none. */
  reason: string;
  suspicious: boolean;
}

export interface Decider {
  person: string;
  server: Pick<Schema<'ServerInformation'>, 'log_origin' | 'rp_id'>;
  /** Milliseconds since 1970. */
  now: number;
}

/** A decision document that was examined, with what is shown of it before it is signed. */
export interface ExaminedOffer {
  document: SignedDocument;
  grant: { max_seconds: number; not_before: string; not_after: string };
  stages: string[];
  expires_at: string;
  allowed: string[];
  disclosure: string | undefined;
}

const OFFER_SECONDS = 300;
const NEEDED = ['type', 'log_origin', 'request', 'verdict_sha256', 'policy_sha256', 'decision', 'approver', 'credential_id_sha256', 'stages', 'grant', 'checkpoint', 'nonce', 'issued_at', 'expires_at'];

/** @throws Different when what would be signed is not what is shown and wished. */
export async function examineDecision(review: Review, wish: Wish, options: Schema<'DecisionOptions'>, decider: Decider): Promise<ExaminedOffer> {
  const findings = new Findings();
  const read = await findings.collect('decision document', async () => {
    const document = await readDocument('decision', options.document);
    findings.members('decision document', document.content, NEEDED, ['reason_sha256', 'suspicious']);
    examineOffer(findings, document, { options: options.public_key, server: decider.server, longestSeconds: OFFER_SECONDS, now: decider.now });
    examineSubject(findings, document, review, wish, decider.person);
    const allowed = await examinePasskeys(findings, document, options);
    await examineReason(findings, document, wish, options.disclosure ?? undefined);
    findings.same('fingerprint', document.fingerprint, options.fingerprint);
    return {
      document,
      grant: examineGrant(findings, document, review),
      stages: examineStages(findings, document, review, wish.kind, decider.person),
      expires_at: text('expires_at', document.content.expires_at),
      allowed,
      disclosure: options.disclosure ?? undefined,
    };
  });
  return findings.settle(read);
}

function examineSubject(findings: Findings, { content }: SignedDocument, review: Review, wish: Wish, person: string): void {
  const { request, verdict } = review;
  findings.same('request', content.request, { id: request.content.id, revision: request.content.revision, sha256: request.document.sha256 });
  findings.same('verdict digest', content.verdict_sha256, verdict.sha256);
  findings.same('policy digest', content.policy_sha256, verdict.content.policy_sha256);
  findings.same('decision', content.decision, wish.kind);
  findings.same('report', content.suspicious, wish.suspicious ? true : undefined);
  findings.same('approver', content.approver, person);
  findings.members('checkpoint', content.checkpoint, ['size', 'root']);
  findings.holds('verdict', wish.kind !== 'approve' || verdict.content.verdict === 'require_approval', `policy said ${verdict.content.verdict}`);
}

async function examinePasskeys(findings: Findings, { content }: SignedDocument, options: Schema<'DecisionOptions'>): Promise<string[]> {
  const allowed = options.public_key.allowCredentials.map(({ id }) => id);
  findings.holds('passkey', allowed.length > 0, 'the server names none');
  for (const id of allowed) findings.same('passkey', content.credential_id_sha256, await sha256Hex(fromBase64Url(id) ?? ''));
  return allowed;
}

async function examineReason(findings: Findings, { content }: SignedDocument, wish: Wish, disclosure: string | undefined): Promise<void> {
  findings.same('reason', content.reason_sha256, disclosure && (await sha256Hex(disclosure)));
  const said = disclosure ? readDisclosure(disclosure) : undefined;
  findings.same('reason', said && [said.name, said.value], wish.reason === '' ? undefined : ['reason', wish.reason]);
}

/** Only stages that are shown, with the seats that are shown, in which this person is shown to be eligible. */
function examineStages(findings: Findings, { content }: SignedDocument, { view, verdict }: Review, kind: Wish['kind'], person: string): string[] {
  const fills = kind === 'approve' || kind === 'reject';
  const stages = list('stages', content.stages, (_, item) => findings.members('stage', item, ['id', 'quorum']));
  findings.holds('stages', stages.length > 0 || !fills, 'the decision names none');
  for (const stage of stages) {
    const shown = verdict.content.stages.find(({ id }) => id === stage.id);
    findings.same(`stage ${String(stage.id)}`, stage, shown && { id: shown.id, quorum: shown.quorum });
    const state = view.stages.find(({ id }) => id === stage.id);
    const known = state && [...state.eligible, ...state.approved_by].some((one) => one.person === person);
    findings.holds(`stage ${String(stage.id)}`, known === true || !fills, 'is not one that you are shown to be eligible for');
  }
  return stages.map(({ id }) => text('stage', id));
}

/** The grant is what the verdict allows, never longer than was asked, within the clocks that are shown. */
function examineGrant(findings: Findings, { content }: SignedDocument, { view, request, verdict }: Review): ExaminedOffer['grant'] {
  const members = findings.members('grant', object('grant', content.grant), ['max_seconds', 'not_before', 'not_after']);
  const grant = {
    max_seconds: count('grant', members.max_seconds),
    not_before: text('grant', members.not_before),
    not_after: text('grant', members.not_after),
  };
  const { pending_seconds: pending, approval_validity_seconds: validity, grant_seconds: longest } = verdict.content.constraints;
  const asked = request.content.clocks;
  findings.same('grant, longest', grant.max_seconds, longest);
  findings.same('grant, longest', grant.max_seconds, view.clocks.max_seconds);
  findings.holds('grant, longest', grant.max_seconds <= asked.grant_seconds, `${grant.max_seconds} seconds, more than the ${asked.grant_seconds} asked for`);
  findings.same('grant, not before', grant.not_before, view.clocks.not_before);
  findings.same('grant, not after', grant.not_after, view.clocks.not_after);
  const start = moment(grant.not_before);
  findings.holds('grant, not before', start >= moment(asked.not_before ?? request.content.created_at), `${grant.not_before} is earlier than was asked`);
  findings.holds('grant, not after', moment(grant.not_after) <= start + (pending + validity + longest) * 1000, `${grant.not_after} is later than the verdict allows`);
  return grant;
}
