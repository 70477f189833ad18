/** All versions of a trust root, each signed by the administrators of the one before and by its own. */

import { parseStrict } from './canonical';
import { utf8 } from './digest';
import { personSignatures, type PersonSignature } from './documents';
import { Versions } from './inForce';
import { list, reason, record, refuse, text, type Of } from './shape';
import { checkSuccessor } from './successor';
import { parseTrust, type TrustRoot } from './trust';

const history = list(record<{ trust: string; signatures: PersonSignature[] }>({ trust: text, signatures: personSignatures }));

/** A version that is believed, and the ids of those who signed it: nobody where it is the first. */
export interface Accepted {
  root: TrustRoot;
  signers: readonly string[];
}

/** INVARIANT: the first is version 1, and each other one was accepted as the successor of the one before. */
export class Lineage {
  /** Every version, oldest first. */
  readonly accepted: readonly Accepted[];
  readonly newest: TrustRoot;

  private constructor(accepted: readonly Accepted[], newest: TrustRoot) {
    this.accepted = accepted;
    this.newest = newest;
  }

  /** Follows the versions in `history.json` from the first one up to the newest. Throws, naming the first that does not follow. */
  static async read(earlier: Uint8Array | undefined, newest: TrustRoot, signed: Uint8Array | undefined): Promise<Lineage> {
    const signatures = signed === undefined ? [] : named('signatures.json', () => personSignatures(parseStrict(signed)));
    const entries: Of<typeof history> = earlier === undefined ? [] : named('history.json', () => history(parseStrict(earlier)));
    const accepted: Accepted[] = [];
    for (const entry of entries) accepted.push(await follow(accepted.at(-1)?.root, await parseTrust(utf8(entry.trust)), entry.signatures));
    accepted.push(await follow(accepted.at(-1)?.root, newest, signatures));
    return new Lineage(accepted, newest);
  }

  /** The root of this version. */
  version(version: number): TrustRoot | undefined {
    return this.accepted.find(({ root }) => root.document.version === version)?.root;
  }

  /** The versions of the life of the log with this name. */
  life(logOrigin: string): Versions | undefined {
    const roots = this.accepted.flatMap(({ root }) => (root.logOrigin === logOrigin ? [root] : []));
    return roots.length === 0 ? undefined : new Versions(roots);
  }
}

function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return refuse(`\`${file}\` cannot be read: ${reason(error)}`);
  }
}

/** The next version, which is the first or follows the one before. */
async function follow(before: TrustRoot | undefined, next: TrustRoot, signatures: readonly PersonSignature[]): Promise<Accepted> {
  const { version } = next.document;
  if (before === undefined) {
    if (version !== 1) refuse(`\`history.json\`: the oldest version that is there is ${version}: versions are followed from the first one on`);
    return { root: next, signers: [] };
  }
  try {
    await checkSuccessor(before, next, signatures);
    return { root: next, signers: signatures.map(({ person }) => person) };
  } catch (error) {
    return refuse(`\`history.json\`: version ${version} does not follow the one before it: ${reason(error)}`);
  }
}
