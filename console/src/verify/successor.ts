/** One version of the trust root after another: named by digest, and signed by the administrators of both (docs/spec/trust.md). */

import { Directory, IDENTITY_ADMIN } from './directory';
import type { Passkey, PersonSignature } from './documents';
import { refuse, sameContent } from './shape';
import { ofPerson, verifySigner } from './signer';
import type { TrustDocument, TrustRoot } from './trust';

/** Throws unless the next version follows the present one, by what these two say and with no log at hand. */
export async function checkSuccessor(current: TrustRoot, next: TrustRoot, signatures: readonly PersonSignature[]): Promise<void> {
  checkContent(current, next);
  const sides = [current, next].map((root) => ({ root, people: administrators(root.document), signers: new Set<string>() }));
  const all = new Set<string>();
  for (const { person, assertion } of signatures) {
    const refusals: unknown[] = [];
    for (const { root, people, signers } of sides) {
      const signed = verifySigner(person, assertion, next.challenge, root.site, people, next.document.created_at);
      await signed.then(() => signers.add(person), (refusal: unknown) => refusals.push(refusal));
    }
    if (refusals.length === sides.length) ofPerson(person)(refusals[0]);
    if (all.has(person)) refuse(`person \`${person}\` signed twice: one signature for each person`);
    all.add(person);
  }
  for (const { root, signers } of sides) {
    const { version, administrators_needed: needed } = root.document;
    if (signers.size < needed) refuse(`${signers.size} administrators of version ${version} signed where ${needed} are needed`);
  }
}

/** Everything but signatures. */
function checkContent(current: TrustRoot, next: TrustRoot): void {
  const [now, then] = [current.document, next.document];
  if (then.version !== now.version + 1) refuse(`version ${then.version} does not follow version ${now.version}: fetch the versions between them`);
  if (then.previous_sha256 !== current.sha256) refuse('the new version follows another root than the present one: its `previous_sha256` differs');
  if (then.created_at < now.created_at) refuse('the new version was sealed before the present one');
  const newLife = then.logs.length > now.logs.length;
  const keptOrigins = then.origins.length >= now.origins.length && now.origins.every((origin) => then.origins.includes(origin));
  const rules: [keyof TrustDocument, boolean, string][] = [
    ['logs', sameLives(now, then), 'a life of the log stays as it was, but for its end and the next one'],
    ['rp_id', now.rp_id === then.rp_id, 'passkeys are made for one site'],
    ['origins', keptOrigins, 'what was signed on one would not verify any more; add to them'],
    ['genesis', newLife || sameContent(now.genesis, then.genesis), 'every chain of people starts there'],
    ['policy', newLife || now.policy.genesis_sha256 === then.policy.genesis_sha256, 'the chain of policies starts there'],
    ['administrators_needed', now.administrators_needed <= then.administrators_needed, 'it is never lowered'],
  ];
  const broken = rules.find(([, holds]) => !holds);
  if (broken !== undefined) refuse(`a successor may not change \`${broken[0]}\`: ${broken[2]}`);
}

/** The same lives; or the last one closed, and one more after it. */
function sameLives({ logs: now }: TrustDocument, { logs: then }: TrustDocument): boolean {
  if (sameContent(now, then)) return true;
  const closed = then.at(-2);
  const reopened = closed === undefined ? [] : [...then.slice(0, -2), { ...closed, closed: undefined }];
  return sameContent(now, reopened);
}

/** Those who sign for a version: whom it lists, and of version 1 its genesis persons with the role. */
function administrators({ version, administrators: listed, genesis, created_at }: TrustDocument): Directory {
  const people = version > 1 ? listed : genesis.persons.filter(({ roles }) => roles.has(IDENTITY_ADMIN));
  return people.reduce((directory, { id, passkeys }) => admit(directory, id, passkeys, created_at), new Directory());
}

function admit(directory: Directory, person: string, [first, ...further]: readonly Passkey[], at: number): Directory {
  if (first === undefined) return directory;
  const authority = { by: 'genesis' } as const;
  const body = { person, passkey: first, roles: new Set([IDENTITY_ADMIN]), attributes: new Map<string, string>(), _sd: [], authority };
  const created = directory.after({ kind: 'person.created', body }, at);
  return further.reduce((known, passkey) => known.after({ kind: 'passkey.enrolled', body: { person, passkey, authority } }, at), created);
}
