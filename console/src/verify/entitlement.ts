/** What may be asked for, as the policy bundle defines it; and what a certificate must say that follows from it. */

import { addressBlocks } from './addresses';
import { canonicalize, decodeUtf8, isObject, parseJson, type Json, type JsonObject } from './canonical';
import type { Files } from './container';
import { sha256Hex } from './digest';
import type { Scopes } from './documents';
import { POLICY_PREFIX } from './layout';
import { flag, object, oneOf, optional, otherwise, reason, record, refuse, Refusal, text, type Shape } from './shape';
import { parseYaml, YamlUnreadable } from './yaml';

const SOURCE_ADDRESS = 'source_address';

/** Read from the filled form, or fixed. */
type Binding = { parameter: string } | { fixed: string };

const binding: Shape<Binding> = (value) => {
  const [[name, inner] = ['', undefined], ...rest] = Object.entries(object(value));
  if (rest.length > 0) refuse('a binding has one member');
  return name === 'parameter' ? { parameter: text(inner) } : { fixed: oneOf('fixed')(name) && text(inner) };
};

interface SshConnector {
  host: Binding;
  principal: Binding;
  force_command: Binding | undefined;
  source_address: Binding | undefined;
  permit: { pty: boolean; port_forwarding: boolean; agent_forwarding: boolean };
}

const sshConnector = record<SshConnector>({
  host: binding,
  principal: binding,
  force_command: optional(binding),
  source_address: optional(binding),
  permit: record<SshConnector['permit']>({ pty: flag, port_forwarding: flag, agent_forwarding: flag }),
});

type Connector = { ssh: SshConnector } | { postgresql: { database: Binding; role: Binding } } | { role: { role: Binding } };

const connector: Shape<Connector> = (value) => {
  const [[name, inner] = ['', undefined], ...rest] = Object.entries(object(value));
  if (rest.length > 0) refuse('an entitlement has one connector');
  if (name === 'ssh') return { ssh: sshConnector(inner) };
  if (name === 'postgresql') return { postgresql: record<{ database: Binding; role: Binding }>({ database: binding, role: binding })(inner) };
  return { role: (oneOf('role')(name), record<{ role: Binding }>({ role: binding })(inner)) };
};

/** One entitlement, with what is read of it here. */
export interface Entitlement {
  name: string;
  /** The whole of it, as policy gets it. */
  data: Json;
  /** SHA-256 of its canonical form. */
  sha256: string;
  title: string;
  connector: Connector;
  independentDisplay: boolean;
}

export async function parseEntitlement(name: string, data: Json): Promise<Entitlement> {
  if (!/^[a-z0-9-]{1,64}$/.test(name)) refuse(`\`${name.slice(0, 64)}\` is no name for an entitlement`);
  // Only what is needed: whether all of it is in order, the policy engine says, and the digest is what people signed.
  const members = object(data);
  return {
    ...{ name, data, sha256: await sha256Hex(canonicalize(data)) },
    title: text(members.title),
    connector: connector(members.connector),
    independentDisplay: otherwise(flag, false)(members.independent_display),
  };
}

/**
 * The data of one entitlement in `policy/`; `undefined` when the bundle has none of this name.
 *
 * @throws YamlUnreadable for files beyond what is read here, and other errors for those that are malformed.
 */
export function entitlementData(files: Files, name: string): Json | undefined {
  let found: Json | undefined;
  for (const [path, bytes] of files) {
    const place = path.startsWith(POLICY_PREFIX) ? pathInData(path.slice(POLICY_PREFIX.length), ['entitlements', name]) : undefined;
    if (place === undefined) continue;
    const said = within(readData(path, bytes), place.down);
    const value = said === undefined ? undefined : wrapped(said, place.up);
    if (value !== undefined) found = found === undefined ? value : merged(found, value, path);
  }
  return found;
}

/** How a data file relates to a place: it stands above it (`down` leads there) or below it (`up` leads back). */
function pathInData(path: string, place: readonly string[]): { down: readonly string[]; up: readonly string[] } | undefined {
  const parts = path.split('/');
  const file = parts.pop();
  if (file !== 'data.yaml' && file !== 'data.json') return undefined;
  const shared = Math.min(parts.length, place.length);
  if (!parts.slice(0, shared).every((part, index) => part === place[index])) return undefined;
  return { down: place.slice(shared), up: parts.slice(shared) };
}

function readData(path: string, bytes: Uint8Array): JsonObject {
  try {
    const value = path.endsWith('.json') ? parseJson(bytes) : parseYaml(decodeUtf8(bytes) ?? refuse('it is not UTF-8'));
    return isObject(value) ? value : refuse('it is not an object: give each value a name');
  } catch (error) {
    const message = `\`${path}\`: ${reason(error)}`;
    throw error instanceof YamlUnreadable ? new YamlUnreadable(message) : new Refusal(message);
  }
}

function within(value: Json, names: readonly string[]): Json | undefined {
  return names.reduce<Json | undefined>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

function wrapped(value: Json, names: readonly string[]): Json {
  return names.reduceRight<Json>((inner, name) => ({ [name]: inner }), value);
}

function merged(left: Json, right: Json, path: string): Json {
  if (!isObject(left) || !isObject(right)) return refuse(`\`${path}\`: another file defines the same value: keep one`);
  const members: JsonObject = { ...left };
  for (const [name, value] of Object.entries(right)) {
    const before = members[name];
    members[name] = before === undefined ? value : merged(before, value, path);
  }
  return members;
}

/** What an OpenSSH user certificate must say. */
export interface CertificateTerms {
  principal: string;
  sourceAddresses: Set<string>;
  forceCommand: string | undefined;
  extensions: string[];
}

/** What follows from the approved parameters and the request phase's scopes, within those of every verdict. Throws. */
export function certificateTerms(entitlement: Entitlement, parameters: JsonObject, first: Scopes, all: readonly Scopes[]): CertificateTerms {
  if (!('ssh' in entitlement.connector)) return refuse('its entitlement gives no SSH certificates');
  const { ssh } = entitlement.connector;
  const login = resolved(ssh.principal, parameters) ?? refuse('the request does not say which `principal`');
  const host = resolved(ssh.host, parameters) ?? refuse('the request does not say which `host`');
  if ([login, host].some((part) => part === '' || part.includes('@'))) refuse('neither login name nor host may contain `@`, nor be empty');
  const asked = resolved(ssh.source_address, parameters);
  const { pty, port_forwarding, agent_forwarding } = ssh.permit;
  const permits: [string, boolean][] = [
    ['permit-agent-forwarding', agent_forwarding],
    ['permit-port-forwarding', port_forwarding],
    ['permit-pty', pty],
  ];
  const terms: CertificateTerms = {
    principal: `${login}@${host}`,
    sourceAddresses: addressBlocks(asked === undefined ? (first.get(SOURCE_ADDRESS) ?? []) : [asked]),
    forceCommand: resolved(ssh.force_command, parameters),
    extensions: permits.filter(([, permitted]) => permitted).map(([name]) => name),
  };
  for (const scopes of [first, ...all]) checkScopes({ login, host, sources: terms.sourceAddresses }, scopes);
  return terms;
}

function resolved(from: Binding | undefined, parameters: JsonObject): string | undefined {
  if (from === undefined) return undefined;
  if ('fixed' in from) return from.fixed;
  const value = Object.hasOwn(parameters, from.parameter) ? parameters[from.parameter] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function checkScopes({ login, host, sources }: { login: string; host: string; sources: Set<string> }, scopes: Scopes): void {
  const outside = (value: string, scope: string): never => refuse(`\`${value}\` is outside the scope \`${scope}\` that policy set`);
  if (scopes.get('principal')?.has(login) === false) outside(login, 'principal');
  if (scopes.get('host')?.has(host) === false) outside(host, 'host');
  const scope = scopes.get(SOURCE_ADDRESS);
  if (scope === undefined) return;
  const allowed = addressBlocks(scope);
  if (sources.size === 0) outside('anywhere', SOURCE_ADDRESS);
  for (const block of sources) if (!allowed.has(block)) outside(block, SOURCE_ADDRESS);
}
