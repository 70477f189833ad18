/** Makes a passkey (WebAuthn Level 3, section 5.1.3), and reads which key it was, so that no other is signed for. */
import type { Schema } from '../../client/client';
import { PasskeyCancelled, passkeyFault } from '../../session/passkey';
import { fromBase64Url, toBase64Url, type Bytes } from '../../verify/digest';
import { parseAuthenticatorData } from '../../verify/webauthn';

/** ES256, EdDSA and RS256: without the last some authenticators of Windows refuse. */
export const ALGORITHMS = [-7, -8, -257] as const;
const TIMEOUT_MS = 120_000;

/** The authenticator has a passkey of this person already. */
export class AlreadyEnrolled extends Error {
  override readonly name = 'AlreadyEnrolled';
}

/** What was made. */
export interface Registered {
  registration: Schema<'Registration'>;
  /** base64url. */
  credentialId: string;
  /** COSE_Key, base64url, as the authenticator gave it. */
  publicKey: string;
}

/** What the browser is asked for; of the options only what cannot be known here is taken. */
export function creationOptions(options: Schema<'CreationOptions'>, rpId: string, name: string): PublicKeyCredentialCreationOptions {
  return {
    challenge: bytes('challenge', options.challenge),
    rp: { id: rpId, name: 'Chancery' },
    user: { id: bytes('user', options.user.id), name, displayName: name },
    timeout: TIMEOUT_MS,
    // With `direct` the browser passes on which model of authenticator it is, and may ask whether it should.
    attestation: options.attestation === 'direct' ? 'direct' : 'none',
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: options.excludeCredentials.map(({ id }) => ({ type: 'public-key', id: bytes('passkey', id) })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  };
}

/** @throws PasskeyCancelled, PasskeyRefused, AlreadyEnrolled, and Error for what cannot be read. */
export async function register(options: Schema<'CreationOptions'>, rpId: string, name: string): Promise<Registered> {
  const credential = await navigator.credentials.create({ publicKey: creationOptions(options, rpId, name) }).catch((fault: unknown) => {
    throw fault instanceof DOMException && fault.name === 'InvalidStateError' ? new AlreadyEnrolled() : passkeyFault(fault);
  });
  if (!(credential instanceof PublicKeyCredential)) throw new PasskeyCancelled();
  const response = credential.response as AuthenticatorAttestationResponse;
  const { attested } = parseAuthenticatorData(new Uint8Array(response.getAuthenticatorData()));
  if (!attested) throw new Error('it holds no key');
  return {
    registration: {
      attestation_object: toBase64Url(new Uint8Array(response.attestationObject)),
      client_data_json: toBase64Url(new Uint8Array(response.clientDataJSON)),
    },
    credentialId: toBase64Url(attested.credentialId),
    publicKey: toBase64Url(attested.publicKey.bytes),
  };
}

function bytes(what: string, encoded: string): Bytes {
  const read = fromBase64Url(encoded);
  if (!read) throw new Error(`the server named a ${what} that is not strict base64url`);
  return read;
}
