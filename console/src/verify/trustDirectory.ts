/** The folder `trust/`: `trust.json`, the versions before it, and the same truth in the formats of other tools. */

import { canonicalize } from './canonical';
import { equal, toBase64, utf8 } from './digest';
import { ed25519Spki } from './keys';
import { Lineage } from './lineage';
import { keyText, type VerifierKey } from './note';
import { refuse } from './shape';
import { parseTrust, type TrustRoot } from './trust';
import { policyText } from './witness';

const TRUST = 'trust.json';
/** Signatures that accepted this version as a successor; only from version 2 on. */
const SIGNATURES = 'signatures.json';
/** The versions before this one; only from version 2 on. */
const HISTORY = 'history.json';
/** What is said only there. All other files repeat `trust.json`. */
const OWN = [TRUST, SIGNATURES, HISTORY];

/**
 * Reads the files of a trust directory; `trust.json` alone will do for version 1, and with `history.json` and
 * `signatures.json` for a later one, since all others only repeat it. Throws.
 */
export async function readTrust(files: ReadonlyMap<string, Uint8Array>): Promise<Lineage> {
  const root = await parseTrust(files.get(TRUST) ?? refuse(`\`${TRUST}\` is missing from the trust directory`));
  const others = [...files.keys()].filter((path) => !OWN.includes(path));
  if (others.length > 0) checkDerived(root, files, others);
  if (root.document.version > 1) checkFollowed(root, files);
  return Lineage.read(files.get(HISTORY), root, files.get(SIGNATURES));
}

/** INVARIANT: a later version is believed because those of the one before signed it, never by itself. */
function checkFollowed({ document: { version } }: TrustRoot, files: ReadonlyMap<string, Uint8Array>): void {
  const missing = [HISTORY, SIGNATURES].filter((path) => !files.has(path)).map((path) => `\`${path}\``);
  if (missing.length === 0) return;
  refuse(
    `this is version ${version}, which is believed only as signed from version 1 on: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} ` +
      `missing. They lie beside \`${TRUST}\` in the \`trust\` folder (\`trust/${HISTORY}\`, \`trust/${SIGNATURES}\`): give that whole folder, or these files with it`,
  );
}

function checkDerived(root: TrustRoot, files: ReadonlyMap<string, Uint8Array>, others: readonly string[]): void {
  const derived = derivedFiles(root);
  for (const [path, expected] of derived) {
    const found = files.get(path) ?? refuse(`\`${path}\` is missing from the trust directory: fetch the whole of it again`);
    if (!equal(found, utf8(expected))) refuse(`\`${path}\` disagrees with trust.json: fetch the whole directory again`);
  }
  for (const path of others) if (!derived.has(path)) refuse(`\`${path}\` does not belong into a trust directory: remove it`);
}

/** Every file beside `trust.json`, exactly as it follows from it. */
function derivedFiles(root: TrustRoot): Map<string, string> {
  const files = new Map([
    ['log.vkey', root.logKeys.map((key) => `${keyText(key)}\n`).join('')],
    ['policy.txt', policyText(root.witnessPolicy)],
    ['trusted_root.json', trustedRoot(root.logKeys)],
  ]);
  for (const [predicate, keys] of root.document.attestation_keys) {
    for (const [place, key] of keys.entries()) files.set(`keys/${predicate}${place === 0 ? '' : `-${place + 1}`}.pem`, key.toPem());
  }
  return files;
}

/** `trusted_root.json` v0.1 of Sigstore. */
function trustedRoot(keys: VerifierKey[]): string {
  return canonicalize({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: keys.map((key) => ({
      baseUrl: `https://${key.name}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: toBase64(ed25519Spki(key.publicKey)),
        keyDetails: 'PKIX_ED25519',
        validFor: { start: '1970-01-01T00:00:00Z' },
      },
      logId: { keyId: toBase64(key.hash) },
    })),
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  });
}
