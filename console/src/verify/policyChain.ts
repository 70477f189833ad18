/** Which policy bundle was active when. */

import { MAX_IDENTITY_OFFER_SECONDS } from './chain';
import { challenge, type Bytes } from './digest';
import { POLICY_OWNER, type Directory } from './directory';
import { decode, identityDocument, type PersonSignature } from './documents';
import { sameJson, without, type Judged, type PolicyActivated, type PolicyEvent } from './events';
import type { Versions } from './inForce';
import type { Recorded } from './log';
import { secondsSince } from './moment';
import type { Directories } from './people';
import { reason, refuse } from './shape';
import { verifySigner } from './signer';
import type { TrustRoot } from './trust';
import type { Verdict } from './verdicts';

/** Each activation follows the one before and was signed by enough owners; each verdict is by the bundle that was active. */
export async function policyChain(events: Recorded<PolicyEvent>[], judged: Recorded<Judged>[], directories: Directories, versions: Versions): Promise<string[]> {
  const problems: string[] = [];
  const nonces = new Set<string>();
  let before: PolicyActivated | undefined;
  for (const [earlier, recorded] of events.entries()) {
    const { body } = recorded.event;
    const root = versions.at(recorded.index, recorded.at);
    try {
      checkFollows(body, earlier, before, root);
    } catch (error) {
      problems.push(`leaf ${recorded.index}: ${reason(error)}`);
    }
    try {
      const nonce = await checkAuthority(recorded, directories.before(recorded.index), root);
      if (nonce !== undefined && nonces.has(nonce)) problems.push(`leaf ${recorded.index}: its nonce was used before`);
      if (nonce !== undefined) nonces.add(nonce);
    } catch (error) {
      problems.push(`leaf ${recorded.index}: ${reason(error)}`);
    }
    before = body;
  }
  for (const verdict of judged) {
    if (active(events, verdict).length === 0) problems.push(`leaf ${verdict.index}: it is by policy \`${verdict.event.policy_sha256}\`, which was not the active one`);
  }
  return problems;
}

/** The number and the bundle before it, and for the first that trust.json names it. */
function checkFollows(body: PolicyActivated, earlier: number, before: PolicyActivated | undefined, root: TrustRoot): void {
  const { genesis_sha256 } = root.document.policy;
  if (body.sequence !== earlier + 1) refuse(`its sequence is ${body.sequence} where ${earlier + 1} is next`);
  if (body.from !== before?.to) refuse('it does not start from the bundle that was active');
  if (before === undefined && body.to !== genesis_sha256) refuse(`the first policy is \`${body.to}\`, your trust directory names \`${genesis_sha256}\``);
  if (!root.document.engines.includes(body.engine)) refuse(`your trust directory does not list the engine \`${body.engine}\``);
}

/** Checks who said so, and returns the nonce that they used up. */
async function checkAuthority({ event, leaf, at }: Recorded<PolicyEvent>, directory: Directory, root: TrustRoot): Promise<string | undefined> {
  const { authority, sequence } = event.body;
  if (authority.by === 'genesis') return sequence === 1 ? undefined : refuse('only the first policy stands by itself: owners must sign');
  if (authority.by === 'recovery_keys') return refuse('recovery keys activate no policy');
  const said = decode(identityDocument, authority.document);
  if (said.act !== leaf.kind || !sameJson(said.body, without(leaf.body, 'authority'))) refuse('its owners signed something else');
  if (said.log_origin !== root.logOrigin) refuse(`its owners signed for the log \`${said.log_origin}\``);
  const open = at >= said.issued_at && at < said.expires_at;
  if (!open || secondsSince(said.expires_at, said.issued_at) > MAX_IDENTITY_OFFER_SECONDS) {
    refuse('it was recorded outside of the time in which it was offered for signing');
  }
  await checkOwners(await challenge('identity', authority.document), authority.signatures, directory, root, said.issued_at);
  return said.nonce;
}

async function checkOwners(signed: Bytes, signatures: PersonSignature[], directory: Directory, root: TrustRoot, at: number): Promise<void> {
  const owners = new Set<string>();
  for (const { person, assertion } of signatures) {
    const signer = await verifySigner(person, assertion, signed, root.site, directory, at);
    if (!signer.roles.has(POLICY_OWNER)) refuse(`person \`${person}\` owns no policy`);
    owners.add(person);
  }
  const needed = root.document.policy.owners_needed;
  if (owners.size < needed) refuse(`${owners.size} owners signed where ${needed} are needed`);
}

/**
 * The activations by which a verdict may be: that which was active at its leaf, if it was of the verdict's bundle; or the
 * one before, when its successor was recorded no earlier than the verdict and overtook it on the way into the log.
 */
function active(events: Recorded<PolicyEvent>[], verdict: Recorded<Judged>): PolicyActivated[] {
  const before = events.filter((activation) => activation.index < verdict.index);
  const [last, overtaken] = [before.at(-1), before.at(-2)];
  const possible = last !== undefined && last.at >= verdict.at ? [last, overtaken] : [last];
  return possible.flatMap((recorded) => (recorded?.event.body.to === verdict.event.policy_sha256 ? [recorded.event.body] : []));
}

/**
 * Each verdict is by the engine for which its bundle was activated. Else a server could name an engine that nobody has,
 * and no verdict of its would ever be evaluated again.
 */
export function engineProblems(events: Recorded<PolicyEvent>[], verdicts: readonly Verdict[], versions: Versions): string[] {
  return verdicts.flatMap(({ judged, document }) => {
    const activated = active(events, judged).some((body) => body.engine === document.engine);
    const root = versions.at(judged.index, judged.at);
    if (activated && root.document.engines.includes(document.engine)) return [];
    const problem = activated ? 'which your trust directory does not list' : 'which is not the one for which its bundle was activated';
    return [`leaf ${judged.index}: its verdict is by the engine \`${document.engine}\`, ${problem}`];
  });
}
