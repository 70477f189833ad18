/** Which approvals count. */

import { keyOfDigest, waits, type Directory } from './directory';
import { isHardware, sameTerms, type DecisionDocument, type Stage, type VerdictDocument } from './documents';
import type { Seating } from './events';
import type { Asked, Judgement } from './lifecycle';
import type { Claim } from './seats';

export const HARDWARE_PASSKEY = 'hardware_passkey';
const KNOWN_OBLIGATIONS = new Set([HARDWARE_PASSKEY, 'post_review']);

/** An obligation that nobody here understands, and so nobody sees to. */
export function unknownObligation(verdict: VerdictDocument): string | undefined {
  return [...verdict.obligations].find((obligation) => !KNOWN_OBLIGATIONS.has(obligation));
}

/** What of a decision is about something else than was asked and judged. */
export function otherSubject(document: DecisionDocument, asked: Asked, judgement: Judgement): string | undefined {
  const { request } = document;
  const parts: [string, boolean][] = [
    ['request', request.id === asked.id && request.revision === asked.revision && request.sha256 === asked.request_sha256],
    ['verdict', document.verdict_sha256 === judgement.verdict_sha256],
    ['policy', document.policy_sha256 === judgement.policy_sha256],
    ['grant', sameTerms(document.grant, judgement.grant)],
  ];
  return parts.find(([, same]) => !same)?.[0];
}

/** Whether this person is there and not suspended. */
export function isActive(person: string, directory: Directory): boolean {
  return directory.person(person)?.suspended === false;
}

/** Whether this person may decide at all: somebody else than those who gain by it. */
export function mayDecide(person: string, asked: Asked, directory: Directory): boolean {
  return person !== asked.requester && person !== asked.beneficiary && isActive(person, directory);
}

/** Whether the seats still satisfy policy, asked again. */
export function seatsCover(seats: Seating, asked: Asked, again: VerdictDocument, directory: Directory): boolean {
  const sitsWell = (stage: Stage): boolean => {
    const seated = [...(seats.get(stage.id) ?? [])].filter((person) => directory.selects(stage.from, person, asked.requester));
    return seated.length >= stage.quorum;
  };
  if (again.verdict === 'require_approval') return again.stages.every(sitsWell);
  return again.verdict === 'allow';
}

/** The stages in which this person may sit. */
export function eligibleStages(person: string, stages: readonly Stage[], asked: Asked, directory: Directory): Set<string> {
  return new Set(stages.filter((stage) => directory.selects(stage.from, person, asked.requester)).map((stage) => stage.id));
}

/** The approvals that count, each with the seats that it may fill. */
export async function claims(
  approvals: readonly DecisionDocument[],
  asked: Asked,
  judgement: Judgement,
  verdict: VerdictDocument,
  directory: Directory,
): Promise<Claim[]> {
  const counted: Claim[] = [];
  for (const document of approvals) {
    const person = directory.person(document.approver);
    if (person === undefined || otherSubject(document, asked, judgement) !== undefined || !mayDecide(person.id, asked, directory)) continue;
    const passkey = await keyOfDigest(person, document.credential_id_sha256);
    if (passkey === undefined || (await waits(person, document.credential_id_sha256, document.issued_at))) continue;
    if (verdict.obligations.has(HARDWARE_PASSKEY) && !isHardware(passkey)) continue;
    const eligible = eligibleStages(person.id, verdict.stages, asked, directory);
    // INVARIANT: a decision fills only seats that it names, as they were shown.
    const shown = (stage: Stage): boolean => document.stages.some((seen) => seen.id === stage.id && seen.quorum === stage.quorum);
    const stages = verdict.stages.filter((stage) => shown(stage) && eligible.has(stage.id)).map((stage) => stage.id);
    counted.push({ person: person.id, stages: new Set(stages) });
  }
  return counted;
}
