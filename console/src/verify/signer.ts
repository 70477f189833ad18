/** Whose passkey signed, at one place and moment: the question under every session, request, decision and identity event. */

import { fromBase64Url, type Bytes } from './digest';
import { countingKey, credentialOf, presentKey, runningRecovery, type Directory, type Person } from './directory';
import type { Assertion, Passkey } from './documents';
import { written } from './moment';
import { reason, Refusal, refuse } from './shape';
import { checkAssertion, type RelyingParty } from './webauthn';

/** A key counts for nothing because of a recovery: it was lost, or waits. */
export class RecoveryRefusal extends Refusal {
  override name = 'RecoveryRefusal';
}

/** Where and when something is signed. */
export interface Place {
  logOrigin: string;
  site: RelyingParty;
  directory: Directory;
  /** The time of the leaf. */
  at: number;
}

/** The person who signed, with a key that counted at this moment. */
export async function verifySigner(person: string, assertion: Assertion, challenge: Bytes, site: RelyingParty, directory: Directory, at: number): Promise<Person> {
  const known = active(person, directory);
  const key = countingKey(known, credentialOf(assertion), at);
  if ('problem' in key) {
    if (key.problem === 'not_theirs') return refuse(`the passkey is not one of person \`${person}\` at this position of the log`);
    if (key.problem === 'lost') throw new RecoveryRefusal(`the passkey is one that person \`${person}\` lost`);
    throw new RecoveryRefusal(`the passkey of person \`${person}\` came by a recovery and counts from ${written(key.from)} on`);
  }
  await checkAssertion(assertion, key, site, challenge);
  return known;
}

/** The person who stops their own recovery, with a key from before it and never with the one that it made. */
export async function verifyLost(person: string, assertion: Assertion, challenge: Bytes, site: RelyingParty, directory: Directory, at: number): Promise<Person> {
  const credential = credentialOf(assertion);
  const someone = directory.person(person);
  const running = someone && runningRecovery(someone, at);
  if (running?.lost.has(credential) !== true) {
    if (running?.credential !== credential) return refuse(`the passkey is not one of person \`${person}\` at this position of the log`);
    throw new RecoveryRefusal(`the passkey of person \`${person}\` came by a recovery and counts from ${written(running.countsFrom)} on`);
  }
  const known = active(person, directory);
  const key: Passkey | undefined = presentKey(known, credential, at);
  if (key === undefined) return refuse(`the passkey is not one of person \`${person}\` at this position of the log`);
  await checkAssertion(assertion, key, site, challenge);
  return known;
}

/** Names whose signature it is that does not stand. */
export function ofPerson(person: string): (error: unknown) => never {
  return (error) => {
    const message = `the signature of person \`${person}\` does not stand: ${reason(error)}`;
    throw error instanceof RecoveryRefusal ? new RecoveryRefusal(message) : new Refusal(message);
  };
}

function active(person: string, directory: Directory): Person {
  const known = directory.person(person) ?? refuse(`person \`${person}\` is unknown at this position of the log`);
  return known.suspended ? refuse(`person \`${person}\` is suspended`) : known;
}

/** Throws unless this is a nonce: base64url of 16 to 64 bytes. */
export function checkNonce(text: string): void {
  const length = fromBase64Url(text)?.length ?? 0;
  if (length < 16 || length > 64) refuse('its nonce is not base64url of 16 to 64 bytes');
}

/** Throws unless this moment lies within an offer that was not open for too long. */
export function checkOffer(offer: { issued_at: number; expires_at: number }, at: number, longestSeconds: number): void {
  const length = offer.expires_at - offer.issued_at;
  if (length < 1 || length > longestSeconds) refuse(`it was offered for no time, or for more than ${longestSeconds} seconds`);
  if (at < offer.issued_at) refuse(`it was not offered before ${written(offer.issued_at)}`);
  if (at >= offer.expires_at) refuse(`the offer to sign it ended at ${written(offer.expires_at)}`);
}
