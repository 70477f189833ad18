/** What the trust root says, read here from its text. */
import { hex, sha256Hex, utf8 } from '../../verify/digest';
import { fingerprintOf } from '../../ui/format';
import { keyText, openCheckpoint, parseNote, parseVerifierKey } from '../../verify/note';
import { parseTrust, type TrustRoot } from '../../verify/trust';
import type { Schema } from '../../client/client';

/** A key, with first digits of its SHA-256. */
export interface NamedKey {
  /** What it signs. */
  use: 'log' | 'attestation' | 'issuer' | 'recovery';
  name: string;
  fingerprint: string;
}

export interface TrustFacts {
  root: TrustRoot;
  keys: NamedKey[];
  /** Whether the digest that the server gives is that of the text. */
  digestHolds: boolean;
  /** Whether the log key that the server names is among those of the root. */
  logKeyHolds: boolean;
}

/** @throws Refusal when the text is no trust root. */
export async function readTrustView(view: Schema<'TrustView'>, server: Pick<Schema<'ServerInformation'>, 'log_vkey'>): Promise<TrustFacts> {
  const root = await parseTrust(utf8(view.text));
  return {
    root,
    keys: await keysOf(root),
    digestHolds: root.sha256 === view.sha256,
    logKeyHolds: root.logKeys.some((key) => keyText(key) === server.log_vkey.trim()),
  };
}

async function keysOf({ document, logKeys }: TrustRoot): Promise<NamedKey[]> {
  const named: [NamedKey['use'], string, Uint8Array | string][] = [
    ...logKeys.map((key): [NamedKey['use'], string, Uint8Array] => ['log', key.name, key.publicKey]),
    ...[...document.attestation_keys].flatMap(([name, keys]) => keys.map(({ spki }): [NamedKey['use'], string, Uint8Array] => ['attestation', name, spki])),
    ...document.issuers.map(({ public_key }): [NamedKey['use'], string, string] => ['issuer', '', public_key]),
    ...document.recovery.keys.map((key): [NamedKey['use'], string, Uint8Array] => ['recovery', '', key]),
  ];
  return Promise.all(named.map(async ([use, name, key]) => ({ use, name, fingerprint: fingerprintOf(await sha256Hex(key)) })));
}

/** How the newest checkpoint stands. */
export interface CheckpointFacts {
  /** Why its signature does not hold; absent when it does. */
  fault: string | undefined;
  /** Whether size and root that the server gives are those of the checkpoint. */
  same: boolean;
}

/** Verifies the checkpoint with the key that the server names. */
export async function readLogView(view: Schema<'LogView'>, vkey: string): Promise<CheckpointFacts> {
  try {
    const { origin, root } = await openCheckpoint(parseNote(utf8(view.checkpoint)), await parseVerifierKey(vkey.trim()));
    return { fault: undefined, same: origin === view.origin && root.size === view.size && hex(root.hash) === view.root };
  } catch (fault) {
    return { fault: fault instanceof Error ? fault.message : String(fault), same: true };
  }
}
