/** The verifier of the console agrees with `chancery verify`, bundle for bundle and check for check. */
import { describe, expect, it } from 'vitest';
import { written } from '../../src/verify/moment';
import { readTrust } from '../../src/verify/trustDirectory';
import { verifyZip, type Verification } from '../../src/verify/verify';
import { readCorpus, readerOf, type Case, type Verdict } from './corpus';

/** The one check that needs a policy engine. */
const REPLAY = 'verdict-replay';
const corpus = readCorpus();

/** Names of checks by how they went, without the one that only one of the two can run. */
function outcomes(checks: [string, string][]): Record<string, string> {
  return Object.fromEntries(checks.filter(([name]) => name !== REPLAY).sort());
}

function withoutReplay(lines: string[]): string[] {
  return lines.filter((line) => !line.includes(`\`${REPLAY}\``));
}

/** What is compared, in one object, so that a difference shows all of itself. */
function told({ checks, later, notProved }: Verification): object {
  const each = checks.map(({ name, outcome }): [string, string] => [name, outcome.state]);
  const after = later.map(({ index, stream, kind, at }) => [index, stream, kind, written(at)]);
  return { checks: outcomes(each), later: after, notProved: withoutReplay(notProved).map(withoutReason) };
}

function expected({ checks, later, not_proved }: Verdict): object {
  return { checks: outcomes(Object.entries(checks)), later, notProved: withoutReplay(not_proved).map(withoutReason) };
}

/** Why a check was skipped is said in each tool's own words. */
function withoutReason(line: string): string {
  return line.replace(/ was skipped \(.*\)$/, ' was skipped');
}

async function verify(one: Case): Promise<Verification> {
  return verifyZip(one.zip, await readTrust(one.trust), { certificates: readerOf(one), newerLog: one.log });
}

describe('the corpus', () => {
  it('holds enough good and bad bundles, of every kind of check', () => {
    const failing = new Set(corpus.flatMap(({ verdict }) => verdict.failed));
    expect(corpus.length).toBeGreaterThanOrEqual(50);
    expect(corpus.filter(({ verdict }) => verdict.failed.length === 0).length).toBeGreaterThanOrEqual(10);
    expect(corpus.filter(({ trust }) => trust.has('history.json')).length).toBeGreaterThanOrEqual(10);
    const held = corpus.filter(({ log }) => log !== undefined);
    expect(held.filter(({ verdict }) => verdict.failed.includes('newer-log')).length).toBeGreaterThanOrEqual(10);
    expect(held.filter(({ verdict }) => verdict.failed.length === 0 && verdict.later.length > 0).length).toBeGreaterThanOrEqual(2);
    expect([...failing].sort()).toEqual(expect.arrayContaining(['container', 'decision-signatures', 'leaf-inclusion', 'quorum', 'trust-root']));
  });

  it.each(corpus.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { verdict } = one;
    const verification = await verify(one);
    expect(told(verification)).toEqual(expected(verdict));
    const replay = verification.checks.find(({ name }) => name === REPLAY)?.outcome.state;
    expect(['not checked here', 'skipped']).toContain(replay);
    expect(verification.failed).toEqual(verdict.failed.filter((name) => name !== REPLAY));
  });

  it('names the bundles that only a policy engine finds', async () => {
    const onlyReplay = corpus.filter(({ verdict }) => verdict.failed.join() === REPLAY);
    expect(onlyReplay.map(({ name }) => name)).toEqual(['an_invented_verdict_does_not_come_out_again-002']);
    for (const one of onlyReplay) {
      const { checks, notProved } = await verify(one);
      expect(checks.find(({ name }) => name === REPLAY)?.outcome.state).toBe('not checked here');
      expect(notProved.join()).toContain(`\`${REPLAY}\` was not checked here`);
    }
  });
});
