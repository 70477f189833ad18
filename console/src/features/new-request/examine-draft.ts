/**
 * Does the document that the server drafted say what the form says? It is read here, member by member, before it is
 * signed; the command line holds it to the same (crates/cli, `draft`).
 */
import type { Schema } from '../../client/client';
import { canonicalize, type JsonObject } from '../../verify/canonical';
import { sha256Hex, toBase64Url } from '../../verify/digest';
import { moment } from '../../ui/format';
import { reveal } from '../documents/disclosures';
import { Findings } from '../documents/findings';
import { readDocument, type SignedDocument } from '../documents/read';
import { readRequest, type RequestContent } from '../documents/request';

/** Who asks for what, where and when. */
export interface Asking {
  person: string;
  server: Pick<Schema<'ServerInformation'>, 'log_origin' | 'rp_id'>;
  /** The entitlement whose form was filled in. */
  entitlement: Schema<'EntitlementView'>;
  /** The revision that the document must have. */
  revision: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** A draft that says what was asked. Only {@link examineDraft} makes one; only this is signed. */
export interface CheckedDraft {
  document: SignedDocument;
  content: RequestContent;
  disclosures: readonly string[];
  /** Passkeys that may sign, by raw credential id. */
  allowed: readonly string[];
}

/** How far this computer's clock and the server's may be apart. */
const CLOCK_DIFFERENCE_MS = 300_000;

/** @throws Different when it says anything else than `asked`. */
export async function examineDraft(asked: Schema<'DraftRequest'>, draft: Schema<'Draft'>, asking: Asking): Promise<CheckedDraft> {
  const findings = new Findings();
  const read = await findings.collect('request document', async () => {
    const document = await readDocument('request', draft.document);
    const content = readRequest(findings, document.content);
    await examineOrigin(findings, document, content, draft, asking);
    examineContent(findings, content, asked, asking);
    await examineReason(findings, content, asked.justification ?? undefined, draft.disclosures);
    const allowed = draft.public_key.allowCredentials.map(({ id }) => id);
    findings.holds('passkey', allowed.length > 0, 'the server names none that may sign');
    return { document, content, disclosures: draft.disclosures, allowed };
  });
  return findings.settle(read);
}

/** Where, when, and under which digests it would be signed; the form that is shown is the one that it names. */
async function examineOrigin(findings: Findings, document: SignedDocument, content: RequestContent, draft: Schema<'Draft'>, asking: Asking): Promise<void> {
  findings.same('request digest', document.sha256, draft.request_sha256);
  findings.same('challenge', toBase64Url(document.challenge), draft.challenge);
  findings.same('challenge', toBase64Url(document.challenge), draft.public_key.challenge);
  findings.same('relying party', asking.server.rp_id, draft.public_key.rpId);
  findings.same('log', content.log_origin, asking.server.log_origin);
  const { name, data } = asking.entitlement;
  findings.same('entitlement', content.entitlement, { name, sha256: await sha256Hex(canonicalize(data)) });
  const apart = Math.abs(moment(content.created_at) - asking.now);
  findings.holds('time', apart <= CLOCK_DIFFERENCE_MS, `drafted at ${content.created_at}; this computer says ${new Date(asking.now).toISOString()}`);
}

function examineContent(findings: Findings, content: RequestContent, asked: Schema<'DraftRequest'>, asking: Asking): void {
  if (asked.revises) findings.same('request', content.id, asked.revises);
  findings.same('revision', content.revision, asking.revision);
  findings.same('entitlement', content.entitlement.name, asked.entitlement);
  findings.same('requester', content.requester, asking.person);
  findings.same('beneficiary', content.beneficiary.person, asked.beneficiary ?? asking.person);
  findings.same('key', content.beneficiary.public_key, asked.beneficiary_key ?? undefined);
  const parameters = asked.parameters as JsonObject | undefined;
  for (const name of new Set([...Object.keys(content.parameters), ...Object.keys(parameters ?? {})])) {
    findings.same(`parameter ${name}`, content.parameters[name], parameters?.[name]);
  }
  findings.same('files', content.artifacts, asked.artifacts ?? []);
  findings.same('undo', content.undo, asked.undo ?? []);
  findings.same('ticket', content.ticket, asked.ticket ?? undefined);
  findings.same('length', content.clocks.grant_seconds, asked.grant_seconds);
  findings.same('start', content.clocks.not_before, asked.not_before ?? undefined);
}

/** Exactly the reason is concealed, and its disclosure says what was written. */
async function examineReason(findings: Findings, content: RequestContent, reason: string | undefined, disclosures: readonly string[]): Promise<void> {
  const { values, concealed } = await reveal(findings, content.concealed, disclosures);
  findings.same('reason', Object.fromEntries(values), reason === undefined ? {} : { justification: reason });
  findings.holds('reason', concealed === 0, `${concealed} concealed values of which nobody knows what they say`);
}
