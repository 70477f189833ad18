/** Decisions: signed by whom, about what, and whether enough of them count. */

import type { Finding } from './checks';
import { challenge, hex, sha256Hex } from './digest';
import { credentialOf } from './directory';
import { decisionDocument, decode, type DecisionDocument, type VerdictDocument } from './documents';
import type { Approved, Seating } from './events';
import { claims, eligibleStages, mayDecide, otherSubject } from './count';
import { isCurrent, type Asked, type Case, type DecisionPlace } from './lifecycle';
import type { Recorded } from './log';
import type { Directories } from './people';
import { fill, sameSeating, type Claim } from './seats';
import { reason, Refusal } from './shape';
import { checkNonce, checkOffer, RecoveryRefusal, verifySigner, type Place } from './signer';
import type { Root } from './tree';
import { parseAuthenticatorData } from './webauthn';

/** The longest that somebody is offered a decision to sign. */
const MAX_DECISION_OFFER_SECONDS = 300;

/** A decision whose signature stands. */
export interface Verified {
  place: DecisionPlace;
  document: DecisionDocument;
}

/** What the signatures of all decisions came to: those that stand, and the problems. */
export interface Examined {
  verified: Verified[];
  signatureProblems: string[];
  subjectProblems: string[];
  /** Those of the signature problems that are of keys of a recovery. */
  recoveryProblems: string[];
}

/** A decision is about something else, or was signed outside of its offer. */
class SubjectRefusal extends Refusal {
  override name = 'SubjectRefusal';
}

/** Verifies every decision of the stream, each against the revision and the people of its moment. */
export async function examine(subject: Case, directories: Directories, site: Omit<Place, 'directory' | 'at'>): Promise<Examined> {
  const examined: Examined = { verified: [], signatureProblems: [], subjectProblems: [], recoveryProblems: [] };
  for (const place of subject.decisions) {
    const { index, at } = place.recorded;
    try {
      const document = await verifyDecision(place, { ...site, directory: directories.before(index), at });
      examined.verified.push({ place, document });
    } catch (error) {
      const problem = `leaf ${index}: ${reason(error)}`;
      if (error instanceof SubjectRefusal) examined.subjectProblems.push(problem);
      else examined.signatureProblems.push(problem);
      if (error instanceof RecoveryRefusal) examined.recoveryProblems.push(problem);
    }
  }
  examined.signatureProblems.push(...suspiciousCounters(examined.verified));
  return examined;
}

async function verifyDecision({ recorded, asked }: DecisionPlace, place: Place): Promise<DecisionDocument> {
  const { document: canonical, assertion } = recorded.event;
  const document = decode(decisionDocument, canonical);
  try {
    checkSubject(document, asked, place);
  } catch (error) {
    throw new SubjectRefusal(reason(error));
  }
  const credential = await sha256Hex(assertion.credential_id);
  if (document.credential_id_sha256 !== credential) throw new Refusal('the decision names another passkey than the one that signed');
  // INVARIANT: the key counted when the offer was made, not only when the decision was recorded.
  await verifySigner(document.approver, assertion, await challenge('decision', canonical), place.site, place.directory, document.issued_at);
  return document;
}

function checkSubject(document: DecisionDocument, asked: Asked, place: Place): void {
  const { request } = document;
  if (document.log_origin !== place.logOrigin) throw new Refusal(`the decision is for the log \`${document.log_origin}\``);
  const same = request.id === asked.id && request.revision === asked.revision && request.sha256 === asked.request_sha256;
  if (!same) throw new Refusal('the decision is about another request or revision');
  checkNonce(document.nonce);
  checkOffer(document, place.at, MAX_DECISION_OFFER_SECONDS);
  if (document.suspicious === true && document.decision !== 'reject') throw new Refusal('only a rejection can report a request as suspicious');
}

/**
 * A device-bound passkey counts its signatures, so one whose count stands still or falls from one decision to the next
 * may have been copied. Synced passkeys report 0 and prove nothing here.
 */
function suspiciousCounters(verified: readonly Verified[]): string[] {
  const counts = new Map<string, number>();
  const problems: string[] = [];
  for (const { place } of verified) {
    const { assertion } = place.recorded.event;
    const data = parseAuthenticatorData(assertion.authenticator_data);
    if (data.backupEligible) continue;
    const before = counts.get(credentialOf(assertion));
    counts.set(credentialOf(assertion), data.signCount);
    const isCounting = before !== undefined && !(before === 0 && data.signCount === 0);
    if (isCounting && data.signCount <= before) {
      problems.push(`leaf ${place.recorded.index}: its passkey's counter did not grow: the key may have been copied`);
    }
  }
  return problems;
}

/** What each verified decision is about, and that none was used twice. */
export function decisionSubject(subject: Case, verified: readonly Verified[], verdict: VerdictDocument | undefined, root: Root): string[] {
  const problems: string[] = [];
  const nonces = new Set<string>();
  for (const { place, document } of verified) {
    const { index } = place.recorded;
    const say = (problem: string): number => problems.push(`leaf ${index}: ${problem}`);
    if (nonces.has(document.nonce)) say('its nonce was used by an earlier decision');
    nonces.add(document.nonce);
    const other = place.judgement && otherSubject(document, place.asked, place.judgement);
    if (other !== undefined) say(`the ${other} is another than what was decided about`);
    if (verdict !== undefined && isCurrent(subject, place)) {
      for (const { id, quorum } of document.stages) {
        const known = verdict.stages.some((stage) => stage.id === id && stage.quorum === quorum);
        if (!known) say(`it names the seat \`${id}\`, which the verdict does not have so`);
      }
    }
    // Whether the root is one of this log needs all leaves (`newer-log`), or equal sizes as here.
    const { checkpoint } = document;
    if (checkpoint.size > index) say(`it stands at an index below the size ${checkpoint.size} of the checkpoint that it names`);
    else if (checkpoint.size === root.size && checkpoint.root !== hex(root.hash)) say('it names a checkpoint of this size with another root: another log');
  }
  return problems;
}

/** Whether the approvals that stand fill every seat, exactly as the log says. */
export async function quorum(
  subject: Case,
  approved: Recorded<Approved>,
  verified: readonly Verified[],
  verdict: VerdictDocument,
  directories: Directories,
): Promise<Finding<Seating>> {
  const { seats, revision } = approved.event;
  if (subject.judgement === undefined) return { value: undefined, problems: ['no verdict stands under this approval'] };
  const problems: string[] = [];
  if (revision !== subject.asked.revision) problems.push('the approval is of another revision');
  if (verdict.verdict === 'deny') problems.push('policy denied what was approved');
  if (verdict.verdict === 'allow' && seats.size > 0) problems.push('policy allowed it, yet people sit in seats');
  if (verdict.verdict === 'require_approval') {
    const counted = await countedClaims(subject, approved.index, verified, verdict, directories);
    const filled = fill(verdict.stages, counted);
    const stages = verdict.stages.map((stage) => `\`${stage.id}\` (${stage.quorum})`).join(', ');
    if (filled === undefined) problems.push(`the ${counted.length} approvals that count do not fill the seats of ${stages}`);
    else if (!sameSeating(filled, seats)) problems.push('other people sit in the seats than the approvals put there');
    problems.push(...rejections(subject, verified, verdict, directories, approved.index));
  }
  return { value: seats, problems };
}

async function countedClaims(subject: Case, before: number, verified: readonly Verified[], verdict: VerdictDocument, directories: Directories): Promise<Claim[]> {
  if (subject.judgement === undefined) return [];
  const standing = standingApprovals(subject, verified, before);
  return claims(standing, subject.asked, subject.judgement, verdict, directories.before(before));
}

/** When the last decision that counts was recorded; `undefined` where those that count do not fill the seats. */
export async function lastCounted(subject: Case, verified: readonly Verified[], verdict: VerdictDocument, directories: Directories): Promise<number | undefined> {
  const { approved } = subject;
  if (approved === undefined) return undefined;
  const counted = await countedClaims(subject, approved.index, verified, verdict, directories);
  if (fill(verdict.stages, counted) === undefined) return undefined;
  const counts = ({ place, document }: Verified): boolean =>
    document.decision === 'approve' &&
    isCurrent(subject, place) &&
    place.recorded.index < approved.index &&
    counted.some((claim) => claim.person === document.approver);
  return verified.findLast(counts)?.place.recorded.at;
}

/** Approvals of the current revision before this index that were not withdrawn, in the order of the log. */
function standingApprovals(subject: Case, verified: readonly Verified[], before: number): DecisionDocument[] {
  let standing: DecisionDocument[] = [];
  for (const { place, document } of verified) {
    if (!isCurrent(subject, place) || place.recorded.index >= before) continue;
    if (document.decision === 'approve') standing.push(document);
    if (document.decision === 'withdraw') standing = standing.filter((approval) => approval.approver !== document.approver);
  }
  return standing;
}

/** One eligible no is final, so there must be none before the approval. */
function rejections(subject: Case, verified: readonly Verified[], verdict: VerdictDocument, directories: Directories, before: number): string[] {
  const rejects = ({ place, document }: Verified): boolean => {
    const directory = directories.before(place.recorded.index);
    return (
      document.decision === 'reject' &&
      isCurrent(subject, place) &&
      place.recorded.index < before &&
      mayDecide(document.approver, subject.asked, directory) &&
      eligibleStages(document.approver, verdict.stages, subject.asked, directory).size > 0
    );
  };
  return verified.filter(rejects).map(({ place }) => `leaf ${place.recorded.index}: an eligible person rejected it before`);
}
