/** The receipt: with it the signer can show a decision that somebody suppressed later. */
import type { Schema } from '../../client/client';
import { isObject, parseStrict } from '../../verify/canonical';
import { fromBase64Url } from '../../verify/digest';
import { Findings, type Finding } from '../documents/findings';
import type { SignedDocument } from '../documents/read';

/** How the receipt differs from what was signed here; empty when it does not. */
export async function examineReceipt(receipt: Schema<'Receipt'>, document: SignedDocument, assertion: Schema<'Assertion'>): Promise<readonly Finding[]> {
  const findings = new Findings();
  findings.same('receipt, document', document.text, receipt.document);
  findings.same('receipt, assertion', assertion, receipt.assertion);
  await findings.collect('leaf', () => {
    const leaf = parseStrict(fromBase64Url(receipt.leaf) ?? '');
    const spec = isObject(leaf) && isObject(leaf.spec) ? leaf.spec : {};
    const body = isObject(spec.body) ? spec.body : {};
    findings.same('leaf, kind', 'decision.recorded', spec.kind);
    findings.same('leaf, document', document.text, body.document);
    findings.same('leaf, assertion', assertion, body.assertion);
  });
  return findings.list;
}
