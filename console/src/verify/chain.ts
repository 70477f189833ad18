/**
 * The chain of people and keys: every identity event is checked against everyone who was there before it, so that no
 * row of a database can make somebody an approver.
 */

import { challenge, hex, type Bytes } from './digest';
import { credentialOf, Directory, IDENTITY_ADMIN, type Person } from './directory';
import { decode, identityDocument, type Authority, type IdentityDocument, type Passkey, type PersonSignature, type RecoverySignature } from './documents';
import { parseCose } from './cose';
import type { SealedAt, Versions } from './inForce';
import { passkeyOf, readIdentityEvent, sameJson, without, type EventLeaf, type IdentityEvent } from './events';
import { verifyEd25519 } from './keys';
import { refuse, sameContent } from './shape';
import { checkNonce, checkOffer, ofPerson, verifyLost, verifySigner } from './signer';
import type { TrustDocument } from './trust';

/** The longest that people are offered an identity document: a day; recovery keys, which lie in safes: a week. */
export const MAX_IDENTITY_OFFER_SECONDS = 24 * 3600;
const MAX_RECOVERY_OFFER_SECONDS = 7 * 24 * 3600;

type Needed = 'own' | 'administrators' | 'other_administrators' | 'own_or_administrator' | 'lost_or_administrator';

const NEEDED: { [K in IdentityEvent['kind']]: Needed } = {
  'person.created': 'administrators',
  'person.reinstated': 'administrators',
  // An attribute makes somebody eligible just as a role does.
  'attribute.assigned': 'other_administrators',
  'role.granted': 'other_administrators',
  'person.recovered': 'other_administrators',
  'passkey.enrolled': 'own',
  'passkey.removed': 'own_or_administrator',
  'role.removed': 'own_or_administrator',
  'person.suspended': 'own_or_administrator',
  'recovery.cancelled': 'lost_or_administrator',
};

const TAKES_AWAY = new Set<IdentityEvent['kind']>(['passkey.removed', 'role.removed', 'person.suspended', 'person.recovered', 'recovery.cancelled']);

function gives(event: IdentityEvent): boolean {
  return event.kind === 'person.recovered' || !TAKES_AWAY.has(event.kind);
}

/** Takes in identity leaves in the order of the log. */
export class Chain {
  directory = new Directory();
  private versions: Versions;
  private readonly administrators: Set<string>;
  private readonly heads = new Map<string, { version: number; hash: string }>();
  private readonly keys = new Set<string>();
  private readonly nonces = new Set<string>();
  private readonly takenAway = new Map<string, number>();

  constructor(versions: Versions) {
    this.versions = versions;
    const persons = versions.oldest.document.genesis.persons.filter((person) => person.roles.has(IDENTITY_ADMIN));
    this.administrators = new Set(persons.map((person) => person.id));
  }

  /** The log says at this leaf that a version of the trust root was sealed: what is demanded after it may be more. */
  sealedAt(said: SealedAt): void {
    this.versions = this.versions.alsoSealed(said);
  }

  /** Takes in one leaf, or throws and leaves everything as it was. */
  async admit(index: number, leaf: EventLeaf, leafHash: Bytes): Promise<void> {
    const person = this.position(leaf);
    const event = readIdentityEvent(leaf);
    if (event.body.person !== person) refuse(`an event in the stream of person \`${person}\` is about somebody else`);
    const passkey = passkeyOf(event);
    if (passkey !== undefined) this.checkPasskey(passkey);
    const document = await this.checkAuthority(event.body.authority, event, leaf, this.versions.at(index, leaf.time).document);
    this.directory = this.directory.after(event, leaf.time);
    if (document !== undefined) {
      if (TAKES_AWAY.has(event.kind)) this.takenAway.set(person, Math.max(document.issued_at, this.takenAway.get(person) ?? document.issued_at));
      this.nonces.add(document.nonce);
    }
    this.heads.set(person, { version: leaf.version, hash: hex(leafHash) });
    if (passkey !== undefined) this.keys.add(credentialOf(passkey));
    if (this.directory.person(person)?.roles.has(IDENTITY_ADMIN) === true) this.administrators.add(person);
  }

  private position(leaf: EventLeaf): string {
    const person = leaf.stream.startsWith('identity/') ? leaf.stream.slice('identity/'.length) : refuse(`stream \`${leaf.stream}\` is not a person's`);
    const head = this.heads.get(person);
    const next = (head?.version ?? 0) + 1;
    if (leaf.version !== next || leaf.previous !== head?.hash) refuse(`the stream of person \`${person}\` is broken: version ${next} was expected`);
    return person;
  }

  private checkPasskey(passkey: Passkey): void {
    // INVARIANT: a key that was removed stays removed, whoever says otherwise; it may be in wrong hands.
    if (this.keys.has(credentialOf(passkey))) refuse('that passkey was enrolled before: enrol another');
    parseCose(passkey.public_key);
  }

  /** The document that authorised the event, unless it is of the genesis. */
  private async checkAuthority(authority: Authority, event: IdentityEvent, leaf: EventLeaf, demands: TrustDocument): Promise<IdentityDocument | undefined> {
    switch (authority.by) {
      case 'genesis':
        this.checkGenesis(event);
        return undefined;
      case 'people': {
        const document = this.document(authority.document, event, leaf, MAX_IDENTITY_OFFER_SECONDS);
        await this.checkSignatures(event, document, await challenge('identity', authority.document), authority.signatures, demands);
        return document;
      }
      case 'recovery_keys': {
        checkRecoverable(event);
        const document = this.document(authority.document, event, leaf, MAX_RECOVERY_OFFER_SECONDS);
        await checkRecoveryKeys(await challenge('recovery', authority.document), authority.signatures, demands);
        return document;
      }
    }
  }

  private checkGenesis(event: IdentityEvent): void {
    const named = this.versions.oldest.document.genesis.persons.find((person) => person.id === event.body.person);
    const stands =
      event.kind === 'person.created'
        ? named !== undefined && sameContent(named.roles, event.body.roles) && sameContent(named.attributes, event.body.attributes) && holds(named, event.body.passkey)
        : event.kind === 'passkey.enrolled'
          ? named !== undefined && holds(named, event.body.passkey)
          : refuse(`\`${event.kind}\` cannot be authorised by the genesis: it has to be signed`);
    if (!stands) refuse(`the trust root does not name person \`${event.body.person}\` with exactly this key, these roles and attributes`);
  }

  /** The signed document authorises exactly this event, here and now, and once. */
  private document(canonical: string, event: IdentityEvent, leaf: EventLeaf, longestSeconds: number): IdentityDocument {
    const document = decode(identityDocument, canonical);
    if (document.log_origin !== this.versions.newest.logOrigin) refuse(`the identity document is for the log \`${document.log_origin}\``);
    if (document.act !== leaf.kind) refuse(`the identity document authorises \`${document.act}\`, not this event`);
    if (!sameJson(document.body, without(leaf.body, 'authority'))) refuse('the identity document authorises another content than the event has');
    checkNonce(document.nonce);
    if (this.nonces.has(document.nonce)) refuse('the identity document was used before: a signature authorises one event');
    checkOffer(document, leaf.time, longestSeconds);
    // What was offered before something was taken away gives nothing after it. Else whoever orders the log could hold a
    // signed role back, log its removal first, and so turn the two around.
    const taken = this.takenAway.get(event.body.person);
    if (taken !== undefined && gives(event) && document.issued_at < taken) {
      refuse(`the identity document is older than what was taken away from person \`${event.body.person}\` since: offer it again`);
    }
    return document;
  }

  private async checkSignatures(event: IdentityEvent, document: IdentityDocument, signed: Bytes, signatures: PersonSignature[], demands: TrustDocument): Promise<void> {
    const needed = NEEDED[event.kind];
    const signers = new Set<string>();
    for (const { person, assertion } of signatures) {
      if (signers.has(person)) refuse(`person \`${person}\` signed twice: it takes distinct people`);
      signers.add(person);
      // INVARIANT: a key counted when the act was offered, so that nothing signed while it waited, or before it was
      // there at all, is held back until it counts.
      const verify = needed === 'lost_or_administrator' && person === event.body.person ? verifyLost : verifySigner;
      const signer = await verify(person, assertion, signed, this.versions.newest.site, this.directory, document.issued_at).catch(ofPerson(person));
      checkEntitled(signer, event, needed);
    }
    const count = needed === 'administrators' || needed === 'other_administrators' ? this.administratorsNeeded(demands) : 1;
    if (signers.size < count) refuse(`${signers.size} people signed where ${count} are needed`);
  }

  /** Two where two were ever there; one where the installation was sealed with one and has no second yet. */
  private administratorsNeeded(demands: TrustDocument): number {
    return Math.min(demands.administrators_needed, Math.max(this.administrators.size, 1));
  }
}

/** INVARIANT: recovery keys give somebody their place back, or make one who can let others in; nothing else. */
function checkRecoverable(event: IdentityEvent): void {
  if (event.kind === 'person.recovered') return;
  if (event.kind !== 'person.created') return refuse('recovery keys authorise only a recovery or a new administrator');
  const { roles, attributes, person } = event.body;
  const plain = roles.size === 1 && roles.has(IDENTITY_ADMIN) && attributes.size === 0;
  if (!plain) refuse(`recovery keys let person \`${person}\` in with the role \`${IDENTITY_ADMIN}\` alone, without attributes`);
}

async function checkRecoveryKeys(signed: Bytes, signatures: RecoverySignature[], demands: TrustDocument): Promise<void> {
  const { keys, threshold } = demands.recovery;
  if (keys.length === 0 || threshold === 0) refuse('the trust root names no recovery keys');
  const signers = new Set<string>();
  for (const { public_key, signature } of signatures) {
    const key = hex(public_key);
    if (!keys.some((known) => hex(known) === key)) refuse(`a signature is by \`${key}\`, which is no recovery key of the trust root`);
    if (signers.has(key)) refuse(`recovery key \`${key}\` signed twice: it takes distinct keys`);
    signers.add(key);
    if (!(await verifyEd25519(public_key, signed, signature))) refuse(`the signature of recovery key \`${key}\` is not one over this document`);
  }
  if (signers.size < threshold) refuse(`${signers.size} recovery keys signed where ${threshold} are needed`);
}

function checkEntitled(signer: Person, event: IdentityEvent, needed: Needed): void {
  const own = signer.id === event.body.person;
  const administrates = signer.roles.has(IDENTITY_ADMIN);
  if (needed === 'other_administrators' && own) refuse(`person \`${signer.id}\` may not say yes to this for themself`);
  const entitled = needed === 'own' ? own : administrates || (own && needed !== 'administrators' && needed !== 'other_administrators');
  if (!entitled) refuse(`person \`${signer.id}\` may not authorise this`);
}

function holds(person: { passkeys: Passkey[] }, passkey: Passkey): boolean {
  return person.passkeys.some((known) => sameContent(known, passkey));
}
