/** Named checks: what each is called, what it proves, and how it went. */

import { reason } from './shape';

/** Every check in the order in which it is reported. The names are those of `chancery verify`. */
export const CHECKS = [
  ['container', 'every reader sees the same files in this bundle'],
  ['manifest', 'nothing was added to the bundle and nothing is missing from it'],
  ['file-digests', 'each file has the bytes that the manifest lists'],
  ['trust-root', 'your own trust directory is whole and speaks of this log'],
  ['checkpoint-signature', 'the log committed to one tree'],
  ['witness-policy', 'enough of the witnesses that you trust saw that tree'],
  ['leaf-inclusion', 'every event of the bundle stands in that tree, at its index'],
  ['leaf-encoding', 'each event can be read in one way only'],
  ['stream-continuity', 'no event was left out of the middle of a stream'],
  ['stream-lifecycle', 'each event was possible after the one before'],
  ['log-time', 'the times in the log run on, so none of these events was dated back'],
  ['identity-chain', 'each person, key and role goes back to the people in your trust directory'],
  ['recovery-wait', 'no key signed within the day in which its recovery could be stopped, and none that was lost'],
  ['policy-chain', 'the policy was activated by its owners, and was the active one'],
  ['request-digest', 'the request document is the one that everybody signed for'],
  ['requester-signature', 'the requester asked for exactly this'],
  ['beneficiary-possession', 'whoever receives it holds the key in the request'],
  ['entitlement-digest', 'what was asked for is what the policy bundle defines'],
  ['policy-digest', 'the policy files are those that judged'],
  ['verdict-digest', 'verdict and input are those that were logged, and speak of this request'],
  ['verdict-replay', 'the same policy says the same of the same input, byte for byte'],
  ['floor', 'the verdict is not below what your trust directory demands'],
  ['decision-signatures', 'each decision was signed by its approver with a key that was theirs'],
  ['decision-subject', 'each decision that counts is about exactly this, and was used once'],
  ['passkey-attestation', 'where hardware was demanded, each signature is of a key whose maker and model you believe'],
  ['quorum', 'enough distinct eligible people approved, and who sits where follows from it'],
  ['approval-time', 'no clock had run out, by the times in the log, and none was set later than it should'],
  ['lease-intended', 'each credential was announced before it was made, within the grant'],
  ['attestation-signatures', 'each attestation was signed by a key for its kind'],
  ['attestation-log-entry', 'each attestation stands in the log where its bundle says'],
  ['attestation-content', 'each attestation says what its event says'],
  ['disclosures', 'each clear value shown is the one that was committed to'],
  ['newer-log', 'the newer log contains this one, and nothing was cut off before it'],
] as const;

export type CheckName = (typeof CHECKS)[number][0];

/** How a check went. Only `pass` proves something. */
export type CheckOutcome =
  | { state: 'pass' }
  | { state: 'fail'; problems: string[] }
  /** There was nothing to check, or what it needs failed. */
  | { state: 'skipped'; reason: string }
  /** This verifier cannot check it. */
  | { state: 'not checked here'; reason: string };

/** Why a check was skipped that nothing led to. */
const NOT_REACHED = 'not reached: an earlier check failed';

/** A check that was run. */
export interface Check {
  name: CheckName;
  proves: string;
  outcome: CheckOutcome;
}

/** What a check found: perhaps a value for later checks, perhaps problems, perhaps both. */
export interface Finding<T> {
  value: T | undefined;
  problems: string[];
}

/** Collects the outcomes of checks, each once. */
export class Runner {
  private readonly done = new Map<CheckName, CheckOutcome>();

  /** Notes what a check found, and passes on its value. */
  record<T>(name: CheckName, finding: Finding<T>): T | undefined {
    const passed = finding.problems.length === 0 && finding.value !== undefined;
    this.done.set(name, passed ? { state: 'pass' } : { state: 'fail', problems: finding.problems });
    return finding.value;
  }

  /** Notes problems, of which there may be none. */
  problems(name: CheckName, problems: string[]): void {
    this.record(name, { value: true, problems });
  }

  /** Runs a check that gives a value or throws. */
  async attempt<T>(name: CheckName, check: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return this.record<T>(name, { value: await check(), problems: [] });
    } catch (error) {
      return this.record<T>(name, { value: undefined, problems: [reason(error)] });
    }
  }

  /** Adds problems to a check, whether or not it was noted before. */
  add(name: CheckName, problems: string[]): void {
    if (problems.length === 0) return;
    const before = this.done.get(name);
    const earlier = before?.state === 'fail' ? before.problems : [];
    this.done.set(name, { state: 'fail', problems: [...earlier, ...problems] });
  }

  skip(name: CheckName, why: string): void {
    this.done.set(name, { state: 'skipped', reason: why });
  }

  cannot(name: CheckName, why: string): void {
    this.done.set(name, { state: 'not checked here', reason: why });
  }

  /** Notes that the verifier itself broke: the first check that nothing was noted of fails, so nothing passes by accident. */
  broken(error: unknown): void {
    const [name] = CHECKS.find(([each]) => !this.done.has(each)) ?? ['container'];
    this.add(name, [`this verifier could not go on: ${reason(error)}`]);
  }

  /** All checks in their order; those that nothing was noted of were not reached. */
  finish(): Check[] {
    const unreached: CheckOutcome = { state: 'skipped', reason: NOT_REACHED };
    return CHECKS.map(([name, proves]) => ({ name, proves, outcome: this.done.get(name) ?? unreached }));
  }
}

/** What is not proved, without a line for each check that was not reached: where nothing could be read, all say the same. */
export function withoutUnreached(notProved: readonly string[]): string[] {
  const said = notProved.filter((line) => !line.endsWith(`(${NOT_REACHED})`));
  const count = notProved.length - said.length;
  return count === 0 ? said : [...said, `what ${count} further checks would show: they were not reached`];
}
