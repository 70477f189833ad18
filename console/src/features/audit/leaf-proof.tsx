import { useQuery } from '@tanstack/react-query';
import type { Schema } from '../../client/client';
import { useSession } from '../../session/session';
import { audit } from '../../strings/audit';
import { fingerprintOf } from '../../ui/format';
import { Literal } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { said } from '../../ui/problem';
import { hex } from '../../verify/digest';
import { decodeUtf8 } from '../../verify/canonical';
import { Facts } from '../admin/act-facts';
import { compareLeaf } from './compare';
import { Part } from './part';
import { proofQuery } from './queries';
import { NotCovered, type ProvedLeaf } from './tiles';
import styles from './audit.module.css';

/** Fetches the leaf from the public log, and checks signature and path here. */
export function LeafProof({ entry }: { entry: Schema<'AuditEntry'> }) {
  const text = audit.leaf;
  const { server } = useSession();
  const proof = useQuery(proofQuery(entry.leaf_index, server.log_vkey));
  return (
    <Part title={text.proof}>
      <div role="status">
        {proof.isPending && <p className={styles.quiet}>{text.proving}</p>}
        {proof.isError && <Unproved fault={proof.error} />}
      </div>
      {proof.data && <Proved entry={entry} proof={proof.data} />}
    </Part>
  );
}

function Unproved({ fault }: { fault: Error }) {
  if (fault instanceof NotCovered) return <Notice tone="warn" title={audit.leaf.notYet} />;
  // A refusal of the checks here has its own words; everything else has those of the problem.
  const words = fault.name === 'Refusal' ? fault.message : said(fault).reason;
  return (
    <Notice tone="bad" title={audit.leaf.unproved}>
      <p>{words}</p>
    </Notice>
  );
}

function Proved({ entry, proof }: { entry: Schema<'AuditEntry'>; proof: ProvedLeaf }) {
  const text = audit.leaf;
  const hash = hex(proof.hash);
  const compared = useQuery({ queryKey: ['audit-compared', hash, entry], queryFn: () => compareLeaf(entry, proof.bytes) });
  const findings = compared.data ?? [];
  return (
    <>
      {findings.length > 0 && (
        <Notice tone="bad" title={text.differs} alert>
          <ul>
            {findings.map(({ what, detail }) => (
              <li key={what}>
                <strong>{what}</strong>: <code>{detail}</code>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {compared.data && findings.length === 0 && (
        <Notice tone="good" title={text.proved(proof.checkpoint.root.size)}>
          <p className={styles.small}>{text.provedHint}</p>
        </Notice>
      )}
      <Facts
        rows={[
          [text.hash, <code key="hash" title={hash}>{fingerprintOf(hash)}</code>],
          [text.tile, <TileLink key="entries" path={proof.entries} />],
          [text.hashTile, <TileLink key="hashes" path={proof.hashes} />],
        ]}
      />
      <details className={styles.source}>
        <summary>{text.canonical}</summary>
        <pre className={styles.pre} tabIndex={0} aria-label={text.canonical}>
          <Literal text={decodeUtf8(proof.bytes) ?? hex(proof.bytes)} multiline />
        </pre>
      </details>
    </>
  );
}

function TileLink({ path }: { path: string }) {
  return (
    <a href={`/log/${path}`} download>
      <code>{`/log/${path}`}</code>
    </a>
  );
}
