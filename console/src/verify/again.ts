/** What is asked again between the approval and each credential: policy, and whether the parties are still in. */

import { isActive, seatsCover, unknownObligation } from './count';
import type { Seating } from './events';
import type { Case } from './lifecycle';
import type { Directories } from './people';
import type { Verdict } from './verdicts';

/**
 * No grant starts without a verdict of the issue phase that the people in the seats satisfy, and nothing is handed out
 * for a requester or a beneficiary who is out at that moment.
 */
export function askedAgain(subject: Case, seats: Seating, verdicts: readonly Verdict[], directories: Directories): string[] {
  const { activated, approved, asked, intended } = subject;
  if (activated === undefined) return [];
  const problems: string[] = [];
  const issue = verdicts.filter(({ judged }) => judged.event.phase === 'issue');
  const again = issue.findLast(({ judged }) => judged.index >= (approved?.index ?? 0) && judged.index < activated.index);
  if (again === undefined) problems.push('its grant started without policy being asked again');
  else if (!seatsCover(seats, asked, again.document, directories.before(activated.index))) {
    problems.push('its grant started although policy, asked again, wanted other people');
  }
  for (const { index } of intended) {
    const newest = issue.findLast(({ judged }) => judged.index < index);
    if (newest !== undefined && !seatsCover(seats, asked, newest.document, directories.before(index))) {
      problems.push(`leaf ${index}: the newest verdict before this credential did not allow it`);
    }
  }
  for (const { index } of [activated, ...intended]) {
    const out = [asked.requester, asked.beneficiary].find((person) => !isActive(person, directories.before(index)));
    if (out !== undefined) problems.push(`leaf ${index}: person \`${out}\` is not active`);
  }
  return problems;
}

/** Verdicts that oblige to something which nobody here understands, and so nobody sees to. */
export function unknownObligations(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap(({ judged, document }) => {
    const obligation = document.verdict === 'deny' ? undefined : unknownObligation(document);
    return obligation === undefined ? [] : [`leaf ${judged.index}: its verdict obliges to \`${obligation}\`, which is not known here`];
  });
}
