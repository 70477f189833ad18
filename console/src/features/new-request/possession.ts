/** Proof that whoever gets the credential holds the key in the request: an SSHSIG over the request's challenge. */
import { fromBase64, toBase64, toBase64Url, type Bytes } from '../../verify/digest';
import { checkSshSignature, parseSshKey, REQUEST_NAMESPACE } from '../../verify/ssh';

const ARMOR = /^\s*-----BEGIN SSH SIGNATURE-----([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*$/;

/** What makes the signature, in a terminal where the private key is. It prints it, and writes nothing. */
export function possessionCommand(challenge: Bytes): string {
  return `printf %s ${toBase64(challenge)} | base64 -d | ssh-keygen -Y sign -n ${REQUEST_NAMESPACE} -f ~/.ssh/id_ed25519`;
}

/**
 * The signature as the server takes it (base64url of its bytes), when it is by that key over that challenge.
 *
 * @throws Error that says why it is not.
 */
export async function readPossession(armored: string, key: string, challenge: Bytes): Promise<string> {
  const encoded = ARMOR.exec(armored)?.[1]?.replace(/\s/g, '');
  const blob = encoded === undefined ? undefined : fromBase64(encoded);
  if (blob === undefined) throw new Error('not an armored SSH signature');
  await checkSshSignature(blob, parseSshKey(key), REQUEST_NAMESPACE, challenge);
  return toBase64Url(blob);
}
