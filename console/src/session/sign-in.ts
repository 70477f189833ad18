/** Signing in: the passkey signs a session document that introduces no key, for at most twelve hours. */
import { answered, api, type Schema } from '../client/client';
import { Findings } from '../features/documents/findings';
import { examineOffer, readDocument } from '../features/documents/read';
import { sign } from './passkey';

// The plain signing page keeps the same two, so that a person is known on both.
const PERSON = 'chancery-person';
const PASSKEY = 'chancery-passkey';
const SESSION_SECONDS = 12 * 3600;

/** The person who signed in last in this browser. */
export function rememberedPerson(): string | undefined {
  return localStorage.getItem(PERSON) ?? undefined;
}

/** The passkey that signed in last in this browser. */
export function rememberedPasskey(): string | undefined {
  return localStorage.getItem(PASSKEY) ?? undefined;
}

/** The next sign-in asks the passkey who is here. */
export function forgetPerson(): void {
  localStorage.removeItem(PERSON);
}

/** A passkey that does not say whose it is. */
export class UnknownPasskey extends Error {
  override readonly name = 'UnknownPasskey';
}

/**
 * Signs in whoever was here last, or whoever the passkey says.
 *
 * @throws ProblemError, PasskeyCancelled, PasskeyRefused, UnknownPasskey, Different
 */
export async function signIn(server: Schema<'ServerInformation'>): Promise<void> {
  const person = rememberedPerson() ?? (await identify(server.rp_id));
  const options = await answered(api.POST('/api/v1/sessions/options', { body: { person } }));
  const document = await examineSession(options, person, server);
  const allowed = options.public_key.allowCredentials.map(({ id }) => id);
  const { assertion } = await sign(document.challenge, server.rp_id, allowed);
  const outcome = await answered(api.POST('/api/v1/sessions', { body: { document: document.text, assertion } }));
  localStorage.setItem(PERSON, outcome.person);
  localStorage.setItem(PASSKEY, assertion.credential_id);
}

export async function signOut(): Promise<void> {
  await answered(api.DELETE('/api/v1/sessions/current'));
}

/** Learns who is here from any passkey. The challenge is random, and the signature is dropped. */
async function identify(rpId: string): Promise<string> {
  const { user } = await sign(crypto.getRandomValues(new Uint8Array(32)), rpId, []);
  if (!user) throw new UnknownPasskey();
  return user;
}

async function examineSession(options: Schema<'SessionOptions'>, person: string, server: Schema<'ServerInformation'>) {
  const findings = new Findings();
  const read = await findings.collect('session document', async () => {
    const document = await readDocument('session', options.document);
    // No `public_key`: this session would introduce a key that nobody here asked for.
    findings.members('session document', document.content, ['type', 'log_origin', 'person', 'nonce', 'issued_at', 'expires_at']);
    examineOffer(findings, document, { options: options.public_key, server, longestSeconds: SESSION_SECONDS, now: Date.now() });
    findings.same('person', document.content.person, person);
    return document;
  });
  return findings.settle(read);
}
