import { useMutation } from '@tanstack/react-query';
import { answeredBytes, api } from '../../client/client';
import { request as texts } from '../../strings/request';
import { Button } from '../../ui/button';
import { Copy } from '../../ui/copy';
import { Problem } from '../../ui/problem';
import { Moment } from '../../ui/time';
import { LeafLink } from './leaf-link';
import type { LoadedRequest } from './load';
import { save } from './save';
import styles from './request.module.css';

const text = texts.evidence;

/** What proves this request to somebody who trusts nobody here. */
export function EvidenceTab({ loaded }: { loaded: LoadedRequest }) {
  const { view } = loaded;
  const download = useMutation({
    mutationFn: async () => {
      const bytes = await answeredBytes(api.GET('/api/v1/requests/{id}/evidence', { params: { path: { id: view.id } }, parseAs: 'arrayBuffer' }));
      save(bytes, 'application/zip', `chancery-evidence-${view.id}.zip`);
    },
  });
  return (
    <div className={styles.tab}>
      <p>{text.lead}</p>
      <p>
        <Button kind="primary" busy={download.isPending} onPress={() => download.mutate()}>
          {download.isPending ? text.downloading : text.download}
        </Button>
      </p>
      {download.isError && <Problem fault={download.error} />}
      <Digests loaded={loaded} />
      <Leaves loaded={loaded} />
    </div>
  );
}

function Digests({ loaded: { request, verdict } }: { loaded: LoadedRequest }) {
  const digests = [
    [text.names.request, request.document.sha256],
    [text.names.verdict, verdict.sha256],
    [text.names.input, verdict.content.input_sha256],
    [text.names.policy, verdict.content.policy_sha256],
    [text.names.entitlement, request.content.entitlement.sha256],
  ] as const;
  return (
    <section aria-labelledby="digests">
      <h2 id="digests">{text.digests}</h2>
      <p className={styles.quiet}>{text.digestsHint}</p>
      <dl className={styles.digests}>
        {digests.map(([name, digest]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{digest}</code> <Copy text={digest} label={name} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Leaves({ loaded: { view } }: { loaded: LoadedRequest }) {
  const columns = text.columns;
  return (
    <section>
      <h2 id="leaves">{text.leaves}</h2>
      <p className={styles.quiet}>{text.leavesHint}</p>
      <div className={styles.scroll} role="region" aria-labelledby="leaves" tabIndex={0}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{columns.leaf}</th>
              <th scope="col">{columns.attestation}</th>
              <th scope="col">{columns.event}</th>
              <th scope="col">{columns.time}</th>
            </tr>
          </thead>
          <tbody>
            {view.timeline.map(({ leaf_index: leaf, attestation_index: attestation, kind, time }) => (
              <tr key={leaf}>
                <td>
                  <LeafLink leaf={leaf}>{leaf}</LeafLink>
                </td>
                <td>{attestation ?? '–'}</td>
                <td>
                  <code>{kind}</code>
                </td>
                <td>
                  <Moment value={time} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
