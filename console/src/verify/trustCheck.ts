/** Whether a trust document is in order, before anything is believed because of it. */

import { toBase64 } from './digest';
import { credentialOf, IDENTITY_ADMIN } from './directory';
import { parseCose } from './cose';
import { ED25519, keyText, parseVerifierKey, type VerifierKey } from './note';
import { refuse } from './shape';
import { parseSshKey } from './ssh';
import type { Administrator, AttestationRoot, Floor, TrustDocument, TrustedLog } from './trust';
import type { RelyingParty } from './webauthn';
import { parsePolicy, policyText, type WitnessPolicy } from './witness';

const MAX_RECOVERY_KEYS = 8;

/** Every kind of attestation, by its short name. */
const PREDICATES = [
  ...['enrolment', 'policy', 'verdict', 'decision', 'override', 'break_glass', 'grant', 'issuance', 'revocation'],
  ...['execution', 'rollback', 'redaction'],
] as const;

function refused(problem: string): never {
  return refuse(`trust.json is not in order: ${problem}`);
}

/** Everything except logs and site. Throws. */
export function checkDocument(document: TrustDocument): void {
  const rules: [string, boolean][] = [
    ['`version` starts at 1', document.version > 0],
    ['`expires_at` is not after `created_at`', document.created_at < document.expires_at],
    ['`directories` is not supported by this version', document.directories.length === 0],
    ['`policy` needs at least one owner', document.policy.owners_needed > 0],
    ['`engines` is empty: no verdict could be believed', document.engines.length > 0],
    ['`floors` has one that means nothing', [...document.floors.values()].every(meansSomething)],
    ['`attestation_roots` has a certificate without models, or for the one of zeros', document.attestation_roots.every(namesModels)],
  ];
  for (const [problem, holds] of rules) if (!holds) refused(problem);
  checkPredecessor(document);
  checkGenesis(document);
  checkRecovery(document);
  for (const [name, keys] of document.attestation_keys) {
    const distinct = new Set(keys.map((key) => toBase64(key.spki)));
    const known = PREDICATES.some((predicate) => predicate === name);
    if (!known || keys.length === 0 || distinct.size !== keys.length) refused(`\`attestation_keys\` of \`${name}\``);
  }
  for (const { public_key } of document.issuers) parseSshKey(public_key);
}

function meansSomething(floor: Floor): boolean {
  return floor.maximum_seconds > 0 && (floor.minimum_approvers > 0 || floor.allow);
}

function namesModels({ aaguids }: AttestationRoot): boolean {
  return aaguids.size > 0 && !aaguids.has('00000000-0000-0000-0000-000000000000');
}

/** Version 1 follows nothing; every later one names what it follows, and who may sign the next. */
function checkPredecessor({ version, previous_sha256, administrators, administrators_needed }: TrustDocument): void {
  const first = version === 1;
  if (first !== (previous_sha256 === undefined)) refused('`previous_sha256` is the digest of the version before, and absent in version 1');
  if (first !== (administrators.length === 0)) refused('`administrators` are listed from version 2 on, and in no version 1');
  if (!eachOnce(administrators)) refused('`administrators` names somebody twice, or without a passkey');
  if (!first && administrators.length < administrators_needed) refused('`administrators` are fewer than `administrators_needed`');
}

/** Whether nobody and no passkey is named twice, and everybody has one. Throws for a passkey that is none. */
function eachOnce(people: readonly Administrator[]): boolean {
  const passkeys = people.flatMap((person) => person.passkeys);
  for (const key of passkeys) parseCose(key.public_key);
  const credentials = new Set(passkeys.map(credentialOf));
  return new Set(people.map(({ id }) => id)).size === people.length && credentials.size === passkeys.length && people.every((person) => person.passkeys.length > 0);
}

function checkGenesis(document: TrustDocument): void {
  const { persons } = document.genesis;
  if (!eachOnce(persons)) refused('`genesis` names somebody twice, or without a passkey');
  const administrators = persons.filter((person) => person.roles.has(IDENTITY_ADMIN)).length;
  const needed = document.administrators_needed;
  if (administrators === 0) refused(`\`genesis\` names nobody with the role \`${IDENTITY_ADMIN}\``);
  if (document.sealed_with === 0 || needed !== Math.min(document.sealed_with, 2)) refused('`administrators_needed`');
  // A later version may have gained its second administrator through the log.
  if (administrators < needed && document.version === 1) refused('`genesis` names too few administrators');
}

function checkRecovery(document: TrustDocument): void {
  const { threshold, keys } = document.recovery;
  const distinct = new Set(keys.map((key) => toBase64(key))).size === keys.length;
  const enough = threshold <= keys.length && (threshold >= document.administrators_needed || keys.length === 0);
  if (!distinct || keys.length > MAX_RECOVERY_KEYS || !enough) refused('`recovery`');
}

/** Each life begins where the one before was closed, and the last is open. */
function checkLives(logs: readonly TrustedLog[]): void {
  if (logs.length === 0) refused('`logs` is empty');
  let next: number | undefined;
  for (const { origin, first_index, closed } of logs) {
    if (first_index !== next) refused(`\`logs\` does not begin \`${origin}\` where the life before it ended`);
    next = (next ?? 0) + (closed?.size ?? 0);
  }
  const open = logs.filter(({ closed }) => closed === undefined);
  if (open.length !== 1 || open[0] !== logs.at(-1)) refused('`logs` closes its last, or leaves an earlier one open');
}

/** The keys of the logs, and the policy, which has to name exactly these. Throws. */
export async function readLogs(document: TrustDocument): Promise<{ logKeys: VerifierKey[]; witnessPolicy: WitnessPolicy }> {
  const logKeys: VerifierKey[] = [];
  for (const log of document.logs) {
    const key = await parseVerifierKey(log.vkey);
    const again = logKeys.some((known) => known.name === key.name);
    if (key.type !== ED25519 || key.name !== log.origin || keyText(key) !== log.vkey || again) refused(`\`logs\` of \`${log.origin}\``);
    logKeys.push(key);
  }
  checkLives(document.logs);
  const witnessPolicy = await parsePolicy(document.witness_policy);
  if (policyText(witnessPolicy) !== document.witness_policy) refused('`witness_policy` is not in its plain form');
  const named = witnessPolicy.logs.map((log) => keyText(log.key)).join('\n');
  if (named !== logKeys.map(keyText).join('\n')) refused('`witness_policy` names other logs than `logs`');
  return { logKeys, witnessPolicy };
}

function isHost(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(name);
}

/** Throws unless passkeys of this site can be used on its origins. */
export function checkSite({ id: rpId, origins }: RelyingParty): void {
  if (!isHost(rpId)) refused(`\`rp_id\` \`${rpId}\` is not a host name in lower case`);
  if (origins.length < 1 || origins.length > 32) refused('it needs 1 to 32 web origins');
  for (const one of origins) if (!isOriginOf(one, rpId)) refused(`origin \`${one}\` cannot use passkeys of \`${rpId}\``);
}

function isOriginOf(one: string, rpId: string): boolean {
  const [, scheme, host, port] = /^(https?):\/\/([^:]*)(?::(.*))?$/.exec(one) ?? [];
  if (scheme === undefined || host === undefined || !isHost(host)) return false;
  const plainPort = port === undefined || (/^(?:0|[1-9][0-9]{0,4})$/.test(port) && Number(port) <= 0xffff);
  const secure = scheme === 'https' || host === 'localhost' || host.endsWith('.localhost');
  return plainPort && secure && (host === rpId || host.endsWith(`.${rpId}`));
}
