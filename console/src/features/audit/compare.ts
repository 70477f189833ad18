/** Whether the log has the very event that the server shows. */
import type { Schema } from '../../client/client';
import { canonicalize, isObject, parseStrict } from '../../verify/canonical';
import { Findings, type Finding } from '../documents/findings';

/** How the leaf in the log differs from the entry; empty when it does not. */
export async function compareLeaf(entry: Schema<'AuditEntry'>, bytes: Uint8Array): Promise<readonly Finding[]> {
  const findings = new Findings();
  await findings.collect('leaf', () => {
    const leaf = parseStrict(bytes);
    if (!isObject(leaf) || !isObject(leaf.spec)) throw new Error('it is no event');
    const { spec } = leaf;
    findings.same('kind', spec.kind, entry.kind);
    findings.same('stream', spec.stream, entry.stream);
    findings.same('version', spec.version, entry.version);
    findings.same('time', spec.time, entry.time);
    findings.same('body', canonicalize(spec.body), canonicalize(entry.body));
  });
  return findings.list;
}
