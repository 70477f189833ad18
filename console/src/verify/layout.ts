/** Which file of a bundle is where (docs/spec/evidence.md §Files). */

export const MANIFEST = 'evidence.json';
export const README = 'README.txt';
export const REPORT = 'report.html';
export const TRUST_PREFIX = 'trust/';
export const REQUEST = 'request.json';
export const VERDICT = 'verdict.json';
export const INPUT = 'input.json';
export const CHECKPOINT = 'checkpoint';
export const POLICY_PREFIX = 'policy/';
export const CREDENTIAL_PREFIX = 'credentials/';
export const REGISTRATION_PREFIX = 'registrations/';
export const ATTESTATION_PREFIX = 'attestations/';
export const DISCLOSURE_PREFIX = 'disclosures/';
export const REQUEST_DISCLOSURES = 'disclosures/request.json';
export const INPUT_DISCLOSURES = 'disclosures/input.json';

export const leafPath = (index: number): string => `leaves/${index}.json`;
export const proofPath = (index: number): string => `proofs/${index}.tlog-proof`;
export const disclosuresPath = (index: number): string => `disclosures/${index}.json`;
export const verdictPath = (index: number): string => `verdicts/${index}.json`;
export const inputPath = (index: number): string => `inputs/${index}.json`;
export const inputDisclosuresPath = (index: number): string => `disclosures/input-${index}.json`;
export const attestationPath = (index: number): string => `attestations/${index}.sigstore.json`;
export const credentialPath = (lease: string): string => `${CREDENTIAL_PREFIX}${lease}.txt`;
export const identityPath = (person: string): string => `identity/${person}.json`;
export const registrationPath = (sha256: string): string => `${REGISTRATION_PREFIX}${sha256}.json`;

/** Whether a file proves something. Everything does but the report, the readme and the copy of trust. */
export function isEvidence(path: string): boolean {
  return !(path === README || path === REPORT || path.startsWith(TRUST_PREFIX));
}
