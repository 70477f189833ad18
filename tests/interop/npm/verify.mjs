// Checks every Sigstore bundle of an evidence folder with @sigstore/verify, which nobody here wrote.
// usage: node verify.mjs EVIDENCEDIR TRUSTDIR
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify';

const [evidence, trust] = process.argv.slice(2);
if (!trust) {
  console.error('usage: node verify.mjs EVIDENCEDIR TRUSTDIR');
  process.exit(2);
}

// Keys come from the trust folder that was there beforehand, never from the evidence.
const keys = new Map();
for (const name of readdirSync(join(trust, 'keys'))) {
  const publicKey = createPublicKey(readFileSync(join(trust, 'keys', name)));
  const der = publicKey.export({ format: 'der', type: 'spki' });
  keys.set(createHash('sha256').update(der).digest('base64'), publicKey);
}
const find = (hint) => {
  const publicKey = keys.get(hint);
  if (!publicKey) throw new Error(`no key in trust/ has the hint ${hint}`);
  return { publicKey, validFor: () => true };
};

const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(join(trust, 'trusted_root.json'), 'utf8')));
const material = toTrustMaterial(root, find);
// The log has no timestamp authority: time is proved by witnesses, not by these bundles.
const verifier = new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 });

const verify = (json) => verifier.verify(toSignedEntity(bundleFromJSON(json)));
const names = readdirSync(join(evidence, 'attestations')).sort();
if (names.length === 0) throw new Error('no attestations');
for (const name of names) {
  const json = JSON.parse(readFileSync(join(evidence, 'attestations', name), 'utf8'));
  verify(json);
  // A check that cannot fail shows nothing: the same bundle with one changed byte must be refused.
  const changed = structuredClone(json);
  const payload = Buffer.from(changed.dsseEnvelope.payload, 'base64');
  payload[payload.length - 2] ^= 1;
  changed.dsseEnvelope.payload = payload.toString('base64');
  let refused = false;
  try {
    verify(changed);
  } catch {
    refused = true;
  }
  if (!refused) throw new Error(`${name}: a changed payload was accepted`);
}
console.log(`@sigstore/verify  ${names.length} bundles verify, ${names.length} changed ones are refused`);
