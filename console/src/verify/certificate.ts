/** OpenSSH user certificates (`PROTOCOL.certkeys`), read back strictly, with the authority's signature verified. */

import { addressBlocks } from './addresses';
import { concat, fromBase64, sha256Hex, toBase64, utf8 } from './digest';
import { verifyEd25519 } from './keys';
import { refuse } from './shape';
import { WireReader, wireString } from './ssh';

const MAX_LINE_BYTES = 8 * 1024;
const USER_CERTIFICATE = 1;
const SUFFIX = '-cert-v01@openssh.com';
/** The last second that can be written here as a time. */
const LAST_SECOND = 253_402_207_200n;
const MAX_COMMAND_BYTES = 4096;
const MAX_NAMES = 64;
const MAX_NAME_BYTES = 255;

/** Extensions in the order in which they stand. */
const EXTENSIONS = ['permit-X11-forwarding', 'permit-agent-forwarding', 'permit-port-forwarding', 'permit-pty'];

/** Key types, with the number of fields of each. */
const SUBJECT_FIELDS: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 1],
  ['ecdsa-sha2-nistp256', 2],
  ['ssh-rsa', 2],
  ['sk-ssh-ed25519@openssh.com', 2],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 3],
]);

/** What an SSH certificate says. */
export interface CertificateFacts {
  /** The whole line, as its maker writes it. */
  line: string;
  to_be_signed_sha256: string;
  serial: string;
  key_id: string;
  public_key: string;
  principals: string[];
  valid_after: number;
  valid_before: number;
  source_addresses: string[];
  force_command: string | undefined;
  extensions: string[];
  authority: string;
}

/** Reads a certificate and verifies its signature under the authority that it names. Throws. */
export type CertificateReader = (text: string) => Promise<CertificateFacts>;

export const readCertificate: CertificateReader = async (line) => {
  const content = line.replace(/\n$/, '');
  const [outside, encoded] = content.split(' ');
  const blob = encoded === undefined ? undefined : fromBase64(encoded);
  if (utf8(content).length > MAX_LINE_BYTES || /\p{Cc}/u.test(content) || outside === undefined || blob === undefined) {
    return refuse('this is not one certificate line');
  }
  const reader = new WireReader(blob);
  if (reader.text() !== outside) refuse('the line names another type than the certificate inside');
  const body = readBody(outside, reader);
  const signed = blob.subarray(0, blob.length - reader.rest.length);
  const signature = new WireReader(reader.string());
  reader.end();
  await checkSignature(body.authority, signed, signature);
  return {
    // The comment is the maker's too: without it one certificate would have many spellings.
    line: `${outside} ${encoded ?? ''} ${body.keyId}`,
    to_be_signed_sha256: await sha256Hex(signed),
    serial: String(body.serial),
    key_id: body.keyId,
    public_key: body.publicKey,
    principals: body.principals,
    valid_after: Number(body.validAfter),
    valid_before: Number(body.validBefore),
    source_addresses: body.sourceAddresses,
    force_command: body.forceCommand,
    extensions: body.extensions,
    authority: `ssh-ed25519 ${toBase64(body.authority)}`,
  };
};

interface Body extends Options {
  publicKey: string;
  serial: bigint;
  keyId: string;
  principals: string[];
  validAfter: bigint;
  validBefore: bigint;
  extensions: string[];
  authority: Uint8Array;
}

function readBody(type: string, reader: WireReader): Body {
  if (reader.string().length !== 32) refuse('the certificate is not in its one canonical form');
  const publicKey = readSubject(type, reader);
  const serial = reader.long();
  if (reader.number() !== USER_CERTIFICATE) refuse('it is not a user certificate');
  const keyId = reader.text();
  const principals = readPrincipals(new WireReader(reader.string()));
  const [validAfter, validBefore] = [reader.long(), reader.long()];
  const options = readOptions(new WireReader(reader.string()));
  const extensions = readExtensions(new WireReader(reader.string()));
  if (reader.string().length !== 0) refuse('the certificate is not in its one canonical form');
  if (serial === 0n) refuse('serial 0 cannot be revoked');
  if (!/^[ -~]{1,255}$/.test(keyId)) refuse('the key id must be 1 to 255 printable ASCII characters');
  if (validAfter === 0n || validAfter >= validBefore || validBefore > LAST_SECOND) refuse('its validity is no time');
  return { publicKey, serial, keyId, principals, validAfter, validBefore, ...options, extensions, authority: reader.string() };
}

function readSubject(type: string, reader: WireReader): string {
  const name = certified(type);
  const count = SUBJECT_FIELDS.get(name) ?? refuse(`keys of type \`${type}\` are not accepted`);
  const fields = Array.from({ length: count }, () => wireString(reader.string()));
  return `${name} ${toBase64(concat(wireString(utf8(name)), ...fields))}`;
}

/** The type of the key that a type of certificates is for. */
function certified(type: string): string {
  const name = type.endsWith(SUFFIX) ? type.slice(0, -SUFFIX.length) : refuse(`\`${type}\` is no certificate`);
  return name.startsWith('sk-') ? `${name}@openssh.com` : name;
}

function readPrincipals(reader: WireReader): string[] {
  const principals: string[] = [];
  while (reader.rest.length > 0) principals.push(reader.text());
  const plain = (name: string): boolean => /^[A-Za-z0-9._\-@:/+=]+$/.test(name) && name.length <= MAX_NAME_BYTES;
  const good = principals.length >= 1 && principals.length <= MAX_NAMES && principals.every(plain) && new Set(principals).size === principals.length;
  return good ? principals : refuse('it names no principals, or such that are none');
}

interface Options {
  forceCommand: string | undefined;
  sourceAddresses: string[];
}

/** At most one forced command and one list of networks, in this order. */
function readOptions(reader: WireReader): Options {
  const found = new Map<string, string>();
  while (reader.rest.length > 0) {
    const name = reader.text();
    const inner = new WireReader(reader.string());
    const value = inner.text();
    inner.end();
    const inOrder = name === 'force-command' ? found.size === 0 : name === 'source-address' && !found.has(name);
    if (!inOrder) refuse(`option \`${name}\` is unknown or out of order`);
    found.set(name, value);
  }
  const forceCommand = found.get('force-command');
  if (forceCommand !== undefined && (forceCommand === '' || utf8(forceCommand).length > MAX_COMMAND_BYTES || /\p{Cc}/u.test(forceCommand))) {
    refuse('the forced command must be on one line, without control characters');
  }
  return { forceCommand, sourceAddresses: networks(found.get('source-address')) };
}

/** Networks, each in its one spelling and none twice. */
function networks(list: string | undefined): string[] {
  if (list === undefined) return [];
  const named = list.split(',');
  const known = addressBlocks(named);
  const plain = named.length <= MAX_NAMES && known.size === named.length && named.every((one) => known.has(one));
  return plain ? named : refuse('it has networks in another spelling, or twice');
}

function readExtensions(reader: WireReader): string[] {
  const names: string[] = [];
  while (reader.rest.length > 0) {
    names.push(reader.text());
    if (reader.string().length !== 0) refuse('an extension has a value');
  }
  const inOrder = EXTENSIONS.filter((name) => names.includes(name));
  return inOrder.join() === names.join() ? names : refuse('it has extensions that are unknown, repeated or out of order');
}

async function checkSignature(authority: Uint8Array, signed: Uint8Array, signature: WireReader): Promise<void> {
  const key = new WireReader(authority);
  const [type, point] = [key.text(), key.string()];
  key.end();
  const [algorithm, bytes] = [signature.text(), signature.string()];
  signature.end();
  if (type !== 'ssh-ed25519' || algorithm !== 'ssh-ed25519' || point.length !== 32) refuse('its authority is no Ed25519 key');
  if (!(await verifyEd25519(point, signed, bytes))) refuse("the authority's signature does not fit the certificate's content");
}
