/** The passkey (WebAuthn Level 3). Only challenges that the console computed itself are ever signed. */
import type { Schema } from '../client/client';
import { fromBase64Url, toBase64Url, type Bytes } from '../verify/digest';
import { decodeUtf8 } from '../verify/canonical';

/** A signature, and whose the passkey says it is. */
export interface Signed {
  assertion: Schema<'Assertion'>;
  /** User handle, when the passkey keeps one. */
  user: string | undefined;
}

/** The person cancelled, or no passkey answered in time. Nothing was signed. */
export class PasskeyCancelled extends Error {
  override readonly name = 'PasskeyCancelled';
}

/** The browser refused to use a passkey here. Nothing was signed. */
export class PasskeyRefused extends Error {
  override readonly name = 'PasskeyRefused';
}

const TIMEOUT_MS = 120_000;

/**
 * Signs `challenge` with one of the passkeys that `allowed` names by raw credential id (base64url); any when empty.
 *
 * @throws PasskeyCancelled, PasskeyRefused
 */
export async function sign(challenge: Bytes, rpId: string, allowed: readonly string[]): Promise<Signed> {
  const publicKey: PublicKeyCredentialRequestOptions = {
    challenge,
    rpId,
    timeout: TIMEOUT_MS,
    userVerification: 'required',
    allowCredentials: allowed.map((id) => ({ type: 'public-key', id: credentialId(id) })),
  };
  const credential = await navigator.credentials.get({ publicKey }).catch((fault: unknown) => {
    throw passkeyFault(fault);
  });
  if (!(credential instanceof PublicKeyCredential)) throw new PasskeyCancelled();
  return signedBy(credential);
}

function signedBy(credential: PublicKeyCredential): Signed {
  const response = credential.response as AuthenticatorAssertionResponse;
  const text = (buffer: ArrayBuffer) => toBase64Url(new Uint8Array(buffer));
  return {
    assertion: {
      credential_id: text(credential.rawId),
      authenticator_data: text(response.authenticatorData),
      client_data_json: text(response.clientDataJSON),
      signature: text(response.signature),
    },
    user: response.userHandle ? decodeUtf8(new Uint8Array(response.userHandle)) : undefined,
  };
}

function credentialId(id: string): Bytes {
  const bytes = fromBase64Url(id);
  if (!bytes) throw new PasskeyRefused('the server named a passkey that is not strict base64url');
  return bytes;
}

/** What a failed ceremony means; anything unknown stays what it is. */
export function passkeyFault(fault: unknown): unknown {
  if (!(fault instanceof DOMException)) return fault;
  if (fault.name === 'NotAllowedError' || fault.name === 'AbortError') return new PasskeyCancelled();
  return new PasskeyRefused(fault.message);
}
