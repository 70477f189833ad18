/** Bundles of the corpus against directories of an earlier version than that of their verdict. */
import { expect, it } from 'vitest';
import { canonicalize, parseStrict } from '../../src/verify/canonical';
import { utf8 } from '../../src/verify/digest';
import { readTrust } from '../../src/verify/trustDirectory';
import { verifyZip, type Verification } from '../../src/verify/verify';
import { readCorpus, readerOf, type Case } from './corpus';

interface Entry {
  trust: string;
  signatures: object[];
}

const succeeded = readCorpus().filter(({ trust }) => trust.has('history.json'));

function historyOf({ trust }: Case): Entry[] {
  return parseStrict(trust.get('history.json') ?? '') as unknown as Entry[];
}

/** The directory as it was before the versions from this place on. */
function older(history: readonly Entry[], place: number): Map<string, Uint8Array> {
  const files = new Map([['trust.json', utf8(history[place]?.trust ?? '')]]);
  if (place > 0) {
    files.set('history.json', utf8(canonicalize(history.slice(0, place))));
    files.set('signatures.json', utf8(canonicalize(history[place]?.signatures)));
  }
  return files;
}

async function each(one: Case): Promise<Verification[]> {
  const history = historyOf(one);
  return Promise.all(history.map(async (_, place) => verifyZip(one.zip, await readTrust(older(history, place)), { certificates: readerOf(one) })));
}

function problems({ checks }: Verification): string {
  return checks.flatMap(({ outcome }) => (outcome.state === 'fail' ? outcome.problems : [])).join('\n');
}

it.each(succeeded.map((one) => [one.name, one] as const))('%s: an older directory lets nothing pass that the newer one refuses', async (_, one) => {
  // Where a life of the log ended, only the version knows that closed it.
  const refused = one.verdict.failed.filter((name) => name !== 'checkpoint-signature');
  for (const verification of await each(one)) if (refused.length > 0) expect(verification.passed).toBe(false);
});

it('an older directory asks for the version that was sealed before an event, and knows no later authority', async () => {
  const said = (await Promise.all(succeeded.map(each))).flat().map(problems);
  for (const expected of [
    /version 2 was sealed, and leaf \d+ came after it: get it, and see with `chancery trust diff` that it follows yours/,
    /your trust directory does not know the authority that signed it/,
    /your trust directory knows no log `log-2\.example`/,
  ]) {
    expect(said.some((text) => expected.test(text)), String(expected)).toBe(true);
  }
});
