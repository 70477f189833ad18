/** The request document, who signed it, and who holds the key in it. */

import type { Files } from './container';
import type { Finding } from './checks';
import { challenge, fromBase64Url, sha256Hex } from './digest';
import { isActive } from './count';
import { decode, requestDocument, sessionDocument, type RequestDocument } from './documents';
import type { Submitted } from './events';
import { isAcceptableEd25519, verifyEd25519 } from './keys';
import { REQUEST } from './layout';
import type { Case } from './lifecycle';
import { secondsSince, written } from './moment';
import { decodeUtf8 } from './canonical';
import { reason, refuse } from './shape';
import { checkNonce, verifySigner, type Place } from './signer';
import { checkSshSignature, parseSshKey, REQUEST_NAMESPACE, sshKeyLine } from './ssh';

const MAX_SESSION_SECONDS = 12 * 3600;
const MAX_DRAFT_AHEAD_SECONDS = 300;
const MAX_DRAFT_AGE_SECONDS = MAX_SESSION_SECONDS;

/** The document of the current revision. */
export interface Asking {
  document: RequestDocument;
  /** Its canonical text, which is what was signed. */
  canonical: string;
  sha256: string;
}

export async function requestDigest(files: Files, subject: Case): Promise<Finding<Asking>> {
  const bytes = files.get(REQUEST);
  if (bytes === undefined) return { value: undefined, problems: [`\`${REQUEST}\` is missing`] };
  const [sha256, named] = [await sha256Hex(bytes), subject.submitted.event.request_sha256];
  const problems = sha256 === named ? [] : [`\`${REQUEST}\` has the digest \`${sha256}\`, the log names \`${named}\``];
  try {
    const document = decode(requestDocument, bytes);
    if (document.id !== subject.id) problems.push(`\`${REQUEST}\` is about request \`${document.id}\``);
    return { value: { document, canonical: decodeUtf8(bytes) ?? '', sha256 }, problems };
  } catch (error) {
    return { value: undefined, problems: [...problems, `\`${REQUEST}\` cannot be read: ${reason(error)}`] };
  }
}

/** Throws unless the requester signed exactly this document, then and there. Possession is a check of its own. */
export async function checkRequester(submitted: Submitted, asking: Asking, place: Place): Promise<void> {
  const { document, canonical, sha256 } = asking;
  if (sha256 !== submitted.request_sha256) refuse('the request document has another digest than the log names');
  if (document.log_origin !== place.logOrigin) refuse(`the request is for the log \`${document.log_origin}\``);
  const parts: [string, boolean][] = [
    ['revision', document.revision === submitted.revision],
    ['requester', document.requester === submitted.requester],
    ['beneficiary', document.beneficiary.person === submitted.beneficiary],
    ['entitlement', document.entitlement.name === submitted.entitlement],
  ];
  for (const [part, same] of parts) if (!same) refuse(`the request's event and its signed document differ in \`${part}\``);
  const [ahead, age] = [secondsSince(document.created_at, place.at), secondsSince(place.at, document.created_at)];
  if (ahead > MAX_DRAFT_AHEAD_SECONDS || age > MAX_DRAFT_AGE_SECONDS) refuse(`the request was drafted at ${written(document.created_at)}, which is not close enough`);
  if (!isActive(submitted.beneficiary, place.directory)) refuse(`beneficiary \`${submitted.beneficiary}\` is suspended or unknown`);
  await checkSignature(submitted, canonical, place);
}

async function checkSignature(submitted: Submitted, canonical: string, place: Place): Promise<void> {
  const signed = await challenge('request', canonical);
  const { signature } = submitted;
  if (signature.by === 'passkey') {
    await verifySigner(submitted.requester, signature.assertion, signed, place.site, place.directory, place.at);
    return;
  }
  const session = decode(sessionDocument, signature.session);
  if (session.log_origin !== place.logOrigin) refuse(`the session is for the log \`${session.log_origin}\``);
  checkNonce(session.nonce);
  const length = session.expires_at - session.issued_at;
  if (length < 1 || length > MAX_SESSION_SECONDS) refuse(`a session lasts from one second to ${MAX_SESSION_SECONDS} seconds`);
  if (place.at < session.issued_at || place.at >= session.expires_at) refuse(`the session was not open at ${written(place.at)}`);
  const key = session.public_key === undefined ? undefined : fromBase64Url(session.public_key);
  if (session.public_key !== undefined && (key === undefined || !isAcceptableEd25519(key))) refuse("the session's key is not an acceptable Ed25519 key");
  const introduced = await challenge('session', signature.session);
  await verifySigner(session.person, signature.introduction, introduced, place.site, place.directory, place.at);
  if (session.person !== submitted.requester) refuse(`the session belongs to person \`${session.person}\`, not to the requester`);
  if (key === undefined || !(await verifyEd25519(key, signed, signature.signature))) refuse('the session key did not sign this request');
}

/** Whether the request names a key, or carries a proof for one. */
export function namesKey(subject: Case, asking: Asking): boolean {
  return asking.document.beneficiary.public_key !== undefined || subject.submitted.event.possession !== undefined;
}

/** Throws unless whoever receives the grant proved to hold the key in the request. */
export async function checkPossession(subject: Case, { document, canonical }: Asking): Promise<void> {
  const [line, proof] = [document.beneficiary.public_key, subject.submitted.event.possession];
  if (line === undefined) return refuse('there is a proof of possession for a key that the request does not name');
  if (proof === undefined) return refuse('the request names a key, and nobody proved to hold it');
  const key = parseSshKey(line);
  if (sshKeyLine(key) !== line) refuse("the beneficiary's SSH key must be the line `TYPE BASE64`, without a comment");
  await checkSshSignature(proof, key, REQUEST_NAMESPACE, await challenge('request', canonical));
}
