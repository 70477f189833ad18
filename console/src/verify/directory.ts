/** Who exists, what they hold, and whom a selector means. Folded from signed identity events and from nothing else. */

import { hex, sha256Hex, type Bytes } from './digest';
import type { Passkey, Selector } from './documents';
import type { IdentityBodies, IdentityEvent, PersonCreated } from './events';
import { later } from './moment';
import { refuse } from './shape';

export const IDENTITY_ADMIN = 'identity_admin';
export const POLICY_OWNER = 'policy_owner';
const MANAGER = 'manager';

/** How long after its event a key that came by a recovery counts for nothing: a day. */
export const RECOVERY_SECONDS = 24 * 3600;

/** How a person came by the key that they have. Keys by the hexadecimal digits of their credential id. */
export interface Recovery {
  credential: string;
  countsFrom: number;
  /** The keys whose place it takes. Until it counts they can stop the recovery, and nothing else. */
  lost: ReadonlyMap<string, Passkey>;
}

export interface Person {
  id: string;
  roles: ReadonlySet<string>;
  attributes: ReadonlyMap<string, string>;
  passkeys: ReadonlyMap<string, Passkey>;
  suspended: boolean;
  recovery: Recovery | undefined;
}

/** Why a key counts for nothing. */
export type KeyProblem = { problem: 'not_theirs' } | { problem: 'lost' } | { problem: 'waits'; from: number };

/** The recovery that can still be stopped, since its key does not count yet. */
export function runningRecovery(person: Person, at: number): Recovery | undefined {
  return person.recovery !== undefined && at < person.recovery.countsFrom ? person.recovery : undefined;
}

/** The key of this id if it counts at this moment, else why it does not. */
export function countingKey(person: Person, credential: string, at: number): Passkey | KeyProblem {
  const running = runningRecovery(person, at);
  if (running?.credential === credential) return { problem: 'waits', from: running.countsFrom };
  const lost = person.recovery?.lost.has(credential) === true;
  return person.passkeys.get(credential) ?? { problem: lost ? 'lost' : 'not_theirs' };
}

/** The key of this id if it says who is here: one of the person's, or one that can stop the recovery that runs. */
export function presentKey(person: Person, credential: string, at: number): Passkey | undefined {
  return person.passkeys.get(credential) ?? runningRecovery(person, at)?.lost.get(credential);
}

/** The person's key whose id has this digest. */
export async function keyOfDigest(person: Person, credentialSha256: string): Promise<Passkey | undefined> {
  for (const passkey of person.passkeys.values()) {
    if ((await sha256Hex(passkey.credential_id)) === credentialSha256) return passkey;
  }
  return undefined;
}

/** Whether the key of this digest came by a recovery and does not count yet. */
export async function waits(person: Person, credentialSha256: string, at: number): Promise<boolean> {
  const passkey = await keyOfDigest(person, credentialSha256);
  return passkey !== undefined && runningRecovery(person, at)?.credential === credentialOf(passkey);
}

/** The name of a key in the maps above. */
export function credentialOf(key: { credential_id: Bytes }): string {
  return hex(key.credential_id);
}

/** Everybody at one moment of the log. Never changed: an event makes another one. */
export class Directory {
  private readonly persons: ReadonlyMap<string, Person>;
  private readonly owners: ReadonlyMap<string, string>;

  constructor(persons: ReadonlyMap<string, Person> = new Map(), owners: ReadonlyMap<string, string> = new Map()) {
    this.persons = persons;
    this.owners = owners;
  }

  person(id: string): Person | undefined {
    return this.persons.get(id);
  }

  /** Whether this person, who is not suspended, is meant. */
  selects(selector: Selector, id: string, requester: string): boolean {
    const person = this.persons.get(id);
    return person !== undefined && !person.suspended && this.means(selector, person, requester) === true;
  }

  /** `undefined` for what is not known here: it means nobody in either sense, and never everybody. */
  private means(selector: Selector, person: Person, requester: string): boolean | undefined {
    if ('all' in selector) return this.decided(selector.all, person, requester, false);
    if ('any' in selector) return this.decided(selector.any, person, requester, true);
    if ('not' in selector) {
      const means = this.means(selector.not, person, requester);
      return means === undefined ? undefined : !means;
    }
    if ('role' in selector) return person.roles.has(selector.role);
    if ('attribute' in selector) {
      const wanted = [...selector.attribute];
      return wanted.length === 0 ? undefined : wanted.every(([name, value]) => person.attributes.get(name) === value);
    }
    if ('person' in selector) return person.id === selector.person;
    if ('manager_of' in selector) {
      const manager = this.persons.get(requester)?.attributes.get(MANAGER);
      return manager === undefined ? undefined : manager === person.id;
    }
    // Groups come from directories; until one is connected nobody can say who is in any.
    return undefined;
  }

  /** One part that is decisive decides; else one that is unknown leaves it unknown. */
  private decided(parts: Selector[], person: Person, requester: string, decisive: boolean): boolean | undefined {
    const answers = parts.map((part) => this.means(part, person, requester));
    if (answers.includes(decisive)) return decisive;
    return answers.length === 0 || answers.includes(undefined) ? undefined : !decisive;
  }

  /** Everybody after an event. Throws when it contradicts what came before. */
  after(event: IdentityEvent, at: number): Directory {
    switch (event.kind) {
      case 'person.created':
        return this.created(event.body, at);
      case 'passkey.enrolled':
        return this.enrolled(event.body);
      case 'passkey.removed':
        return this.removed(event.body, at);
      case 'role.granted':
        return this.changed(event.body.person, (person) => ({ roles: new Set([...person.roles, event.body.role]) }));
      case 'role.removed':
        return this.changed(event.body.person, (person) => ({ roles: new Set([...person.roles].filter((role) => role !== event.body.role)) }));
      case 'attribute.assigned':
        return this.changed(event.body.person, (person) => ({ attributes: new Map([...person.attributes, [event.body.name, event.body.value]]) }));
      case 'person.suspended':
        return this.changed(event.body.person, () => ({ suspended: true }));
      case 'person.reinstated':
        return this.changed(event.body.person, () => ({ suspended: false }));
      case 'person.recovered':
        return this.recovered(event.body, at);
      case 'recovery.cancelled':
        return this.cancelled(event.body, at);
    }
  }

  private known(id: string): Person {
    return this.persons.get(id) ?? refuse(`person \`${id}\` does not exist`);
  }

  private changed(id: string, change: (person: Person) => Partial<Person>, owners = this.owners): Directory {
    const person = this.known(id);
    return new Directory(new Map([...this.persons, [id, { ...person, ...change(person) }]]), owners);
  }

  private withOwner(credential: string, person: string, forgotten: Iterable<string> = []): Map<string, string> {
    const owners = new Map(this.owners);
    for (const one of forgotten) owners.delete(one);
    return owners.set(credential, person);
  }

  private withoutOwner(credential: string): Map<string, string> {
    const owners = new Map(this.owners);
    owners.delete(credential);
    return owners;
  }

  private refuseKnown(passkey: Passkey): string {
    const credential = credentialOf(passkey);
    return this.owners.has(credential) ? refuse('that passkey is enrolled already') : credential;
  }

  private created(body: PersonCreated, at: number): Directory {
    if (this.persons.has(body.person)) refuse(`person \`${body.person}\` exists already`);
    const credential = this.refuseKnown(body.passkey);
    // The first key of somebody whom recovery keys let in waits as a recovered one does.
    const waiting = { credential, countsFrom: later(at, RECOVERY_SECONDS), lost: new Map<string, Passkey>() };
    const person: Person = {
      id: body.person,
      roles: body.roles,
      attributes: body.attributes,
      passkeys: new Map([[credential, body.passkey]]),
      suspended: false,
      recovery: body.authority.by === 'recovery_keys' ? waiting : undefined,
    };
    return new Directory(new Map([...this.persons, [body.person, person]]), this.withOwner(credential, body.person));
  }

  private enrolled(body: IdentityBodies['passkey.enrolled']): Directory {
    const credential = this.refuseKnown(body.passkey);
    const owners = this.withOwner(credential, body.person);
    return this.changed(body.person, (person) => ({ passkeys: new Map([...person.passkeys, [credential, body.passkey]]) }), owners);
  }

  /** Also one of those that a running recovery could give back: a stolen key must not come back. */
  private removed(body: IdentityBodies['passkey.removed'], at: number): Directory {
    const credential = credentialOf(body);
    const less = (keys: ReadonlyMap<string, Passkey>): Map<string, Passkey> => new Map([...keys].filter(([key]) => key !== credential));
    const change = (person: Person): Partial<Person> => {
      if (person.passkeys.has(credential)) return { passkeys: less(person.passkeys) };
      const running = runningRecovery(person, at);
      if (running?.lost.has(credential) !== true) return refuse(`person \`${person.id}\` has no such passkey`);
      return { recovery: { ...running, lost: less(running.lost) } };
    };
    return this.changed(body.person, change, this.withoutOwner(credential));
  }

  private recovered(body: IdentityBodies['person.recovered'], at: number): Directory {
    const credential = this.refuseKnown(body.passkey);
    const person = this.known(body.person);
    // INVARIANT: one at a time. Else the key of the first would be among the lost of the second, and by stopping that
    // one would count without having waited.
    if (runningRecovery(person, at) !== undefined) refuse(`a recovery of person \`${body.person}\` is running: stop it first`);
    const recovery = { credential, countsFrom: later(at, RECOVERY_SECONDS), lost: person.passkeys };
    const owners = this.withOwner(credential, body.person, person.recovery?.lost.keys());
    return this.changed(body.person, () => ({ passkeys: new Map([[credential, body.passkey]]), recovery }), owners);
  }

  private cancelled(body: IdentityBodies['recovery.cancelled'], at: number): Directory {
    const credential = credentialOf(body);
    const change = (person: Person): Partial<Person> => {
      const running = runningRecovery(person, at);
      if (running?.credential !== credential) return refuse(`no recovery of person \`${person.id}\` by that passkey is running`);
      const kept = [...person.passkeys].filter(([key]) => key !== credential);
      return { passkeys: new Map([...kept, ...running.lost]), recovery: undefined };
    };
    return this.changed(body.person, change, this.withoutOwner(credential));
  }
}
