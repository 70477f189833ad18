/** Credentials: announced before they were made, within the grant, and made as announced. */

import { addressBlocks } from './addresses';
import { decodeUtf8, type JsonObject } from './canonical';
import type { CertificateFacts, CertificateReader } from './certificate';
import type { Files } from './container';
import { certificateTerms, type CertificateTerms, type Entitlement } from './entitlement';
import type { LeaseIntended } from './events';
import type { Versions } from './inForce';
import { CREDENTIAL_PREFIX, credentialPath } from './layout';
import type { Case } from './lifecycle';
import type { Recorded } from './log';
import { written } from './moment';
import type { Asking } from './requester';
import { reason, refuse } from './shape';
import { parseSshKey, sshKeyLine } from './ssh';
import type { Verdict } from './verdicts';

/** What the check of credentials needs. */
export interface Granted {
  subject: Case;
  asking: Asking;
  versions: Versions;
  /** What a certificate must say, or why none follows. */
  terms: CertificateTerms | string;
  reader: CertificateReader;
}

/** What a certificate must say, or why none follows. */
export function termsOf(entitlement: Entitlement | undefined, asking: Asking, first: Verdict | undefined, verdicts: readonly Verdict[]): CertificateTerms | string {
  if (first === undefined) return 'no verdict sets its scopes';
  if (entitlement === undefined) return 'its entitlement is not known';
  const allowing = verdicts.filter(({ document }) => document.verdict !== 'deny').map(({ document }) => document.constraints.scopes);
  try {
    return certificateTerms(entitlement, asking.document.parameters, first.document.constraints.scopes, allowing);
  } catch (error) {
    return reason(error);
  }
}

/** Whether there is anything to check. */
export function hasCredentials(subject: Case, files: Files): boolean {
  return subject.intended.length > 0 || [...files.keys()].some((path) => path.startsWith(CREDENTIAL_PREFIX));
}

/** Announcements against the grant. */
export function announcementProblems({ subject, terms }: Granted): string[] {
  const { activated, intended } = subject;
  if (activated === undefined) return [];
  const problems: string[] = [];
  const [first] = intended;
  if (first !== undefined && typeof terms === 'string') problems.push(`leaf ${first.index}: ${terms}`);
  const [serials, nonces] = [new Set<string>(), new Set<string>()];
  for (const { index, at, event } of intended) {
    const rules: [string, boolean][] = [
      ['it is no SSH certificate', event.credential === 'ssh_certificate'],
      ['its serial is no decimal number from 1', isSerial(event.serial)],
      ['its serial was used before', !serials.has(event.serial)],
      ["its issuer's nonce was used before", !nonces.has(event.issuer_nonce)],
      ['it would outlive its grant', event.not_after <= activated.event.ends_at],
      ["it was announced after its grant's end", at < activated.event.ends_at],
    ];
    problems.push(...failed(rules).map((problem) => `leaf ${index}: lease \`${event.lease}\`: ${problem}`));
    serials.add(event.serial);
    nonces.add(event.issuer_nonce);
  }
  return problems;
}

function isSerial(text: string): boolean {
  return /^[1-9][0-9]{0,19}$/.test(text) && BigInt(text) < 1n << 64n;
}

/** Certificates by lease, and what is wrong with them. */
export interface Certificates {
  certificates: ReadonlyMap<string, CertificateFacts>;
  problems: string[];
}

/** Certificates in the bundle against their announcements and everything that was approved. */
export async function readCertificates(granted: Granted, files: Files): Promise<Certificates> {
  const certificates = new Map<string, CertificateFacts>();
  const problems: string[] = [];
  const expected = new Set<string>();
  for (const intended of granted.subject.intended) {
    const { event } = intended;
    const path = credentialPath(event.lease);
    expected.add(path);
    const bytes = files.get(path);
    if (bytes === undefined) continue;
    try {
      const text = decodeUtf8(bytes) ?? refuse('it is not UTF-8');
      const facts = await granted.reader(text);
      certificates.set(event.lease, facts);
      const found = [...identityProblems(granted, facts, text, intended), ...contentProblems(granted, facts)];
      problems.push(...found.map((problem) => `\`${path}\`: ${problem}`));
    } catch (error) {
      problems.push(`\`${path}\`: ${reason(error)}`);
    }
  }
  for (const path of files.keys()) {
    if (path.startsWith(CREDENTIAL_PREFIX) && !expected.has(path)) problems.push(`\`${path}\` is of no lease that was announced`);
  }
  return { certificates, problems };
}

/** Which certificate it is: the announced one, for this request and key, by a known authority. */
function identityProblems({ subject, asking, versions }: Granted, facts: CertificateFacts, text: string, intended: Recorded<LeaseIntended>): string[] {
  const announced = intended.event;
  const { issuers } = versions.at(intended.index, intended.at).document;
  const start = subject.activated?.event.started_at;
  const key = asking.document.beneficiary.public_key;
  return failed([
    ['it has more than one spelling', facts.line === text],
    ['it is not the certificate that was announced', facts.to_be_signed_sha256 === announced.to_be_signed_sha256],
    ['its serial is another than announced', facts.serial === announced.serial],
    ['its key id is not this request', facts.key_id === subject.id],
    ['it is for another key than the request names', key !== undefined && sameKey(key, facts.public_key)],
    ['it is valid longer than announced', facts.valid_before <= announced.not_after],
    ['it is valid before its grant', start !== undefined && facts.valid_after >= start],
    ['your trust directory does not know the authority that signed it', issuers.some((issuer) => sameKey(issuer.public_key, facts.authority))],
  ]);
}

/** What it allows is what follows from the request, and no more. Where nothing follows, its announcement fails. */
function contentProblems({ terms }: Granted, facts: CertificateFacts): string[] {
  if (typeof terms === 'string') return [];
  return failed([
    ['its principals are not those approved', facts.principals.length === 1 && facts.principals[0] === terms.principal],
    ['its forced command is not the one approved', facts.force_command === terms.forceCommand],
    ['its source addresses are not those approved', sameBlocks(facts.source_addresses, terms.sourceAddresses)],
    ['its extensions are not those of the entitlement', facts.extensions.join() === terms.extensions.join()],
  ]);
}

function sameBlocks(said: readonly string[], approved: ReadonlySet<string>): boolean {
  try {
    const blocks = addressBlocks(said);
    return blocks.size === approved.size && blocks.size === said.length && [...blocks].every((block) => approved.has(block));
  } catch {
    return false;
  }
}

function sameKey(left: string, right: string): boolean {
  try {
    return sshKeyLine(parseSshKey(left)) === sshKeyLine(parseSshKey(right));
  } catch {
    return false;
  }
}

function failed(rules: [string, boolean][]): string[] {
  return rules.filter(([, holds]) => !holds).map(([problem]) => problem);
}

/** What an issuance attestation repeats of a certificate. */
export function publicFacts({ line: _line, ...facts }: CertificateFacts): JsonObject {
  return {
    ...facts,
    valid_after: written(facts.valid_after),
    valid_before: written(facts.valid_before),
    force_command: facts.force_command ?? null,
  };
}
