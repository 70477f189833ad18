import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { answeredBytes, api, type Schema } from '../../client/client';
import { useSession } from '../../session/session';
import { audit } from '../../strings/audit';
import { Button } from '../../ui/button';
import { Literal, Prose } from '../../ui/literal';
import { usePhone } from '../../ui/phone';
import { Problem } from '../../ui/problem';
import { Empty, Loading } from '../../ui/states';
import { Moment } from '../../ui/time';
import { canonicalize } from '../../verify/canonical';
import { Facts } from '../admin/act-facts';
import { readDisclosure } from '../documents/disclosures';
import { download } from './download';
import { LeafProof } from './leaf-proof';
import { opened } from './opened';
import { Part } from './part';
import { leafQuery } from './queries';
import { summarise } from './summary';
import styles from './audit.module.css';

interface LeafDrawerProps {
  index: number;
  onClose: () => void;
}

/** One leaf, with what the reader may see beside it, and the proof that it stands in the log. */
export function LeafDrawer({ index, onClose }: LeafDrawerProps) {
  const text = audit.leaf;
  const leaf = useQuery(leafQuery(index));
  const heading = useRef<HTMLHeadingElement>(null);
  // On a phone nothing else is there.
  const Title = usePhone() ? 'h1' : 'h2';
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <aside className={styles.drawer} aria-label={text.title(index)} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <div className={styles.drawerHead}>
        <Title ref={heading} tabIndex={-1}>{leaf.data ? summarise(leaf.data).title : text.title(index)}</Title>
        <Button kind="quiet" onPress={onClose} label={text.close}>
          ×
        </Button>
      </div>
      {leaf.isPending && <Loading />}
      {leaf.isError && <Problem fault={leaf.error} retry={() => void leaf.refetch()} />}
      {leaf.data === null && (
        <Empty title={text.notThere[0]}>
          <p>{text.notThere[1]}</p>
        </Empty>
      )}
      {leaf.data && <Leaf entry={leaf.data} />}
    </aside>
  );
}

function Leaf({ entry }: { entry: Schema<'AuditEntry'> }) {
  const text = audit.leaf;
  const [noun, id] = entry.stream.split('/');
  return (
    <>
      <Facts
        rows={[
          [text.kind, <code key="kind">{entry.kind}</code>],
          [text.stream, <code key="stream">{entry.stream}</code>],
          [text.version, entry.version],
          [text.time, <Moment key="time" value={entry.time} />],
          [text.index, entry.leaf_index],
          ...attestation(entry),
        ]}
      />
      <Links noun={noun} id={id} stream={entry.stream} leaf={entry.leaf_index} />
      {noun === 'request' && id && <Evidence request={id} />}
      <LeafProof entry={entry} />
      <Part title={text.body}>
        <pre className={styles.pre} tabIndex={0} aria-label={text.body}>
          <Literal text={JSON.stringify(opened(entry.body), null, 2)} multiline />
        </pre>
        <p className={styles.quiet}>{text.bodyHint}</p>
      </Part>
      <Beside disclosures={entry.disclosures ?? []} />
    </>
  );
}

function attestation({ attestation_index: index }: Schema<'AuditEntry'>): [string, ReactNode][] {
  return index === undefined || index === null ? [] : [[audit.leaf.attestation, audit.leaf.attestationAt(index)]];
}

function Links({ noun, id, stream, leaf }: { noun: string | undefined; id: string | undefined; stream: string; leaf: number }) {
  const text = audit.leaf;
  return (
    <p className={styles.links}>
      {noun === 'request' && id && (
        <Link to="/requests/$id" params={{ id }}>
          {text.openRequest}
        </Link>
      )}
      {noun === 'identity' && id && (
        <Link to="/admin/people/$id" params={{ id }}>
          {text.openPerson}
        </Link>
      )}
      {noun === 'alert' && (
        <Link to="/admin/alerts" search={{ state: 'all' }}>
          {text.openAlerts}
        </Link>
      )}
      <Link to="/audit" search={{ leaf, stream }}>
        {text.wholeStream}
      </Link>
    </p>
  );
}

/** Everything about one request, to be verified offline. */
function Evidence({ request }: { request: string }) {
  const text = audit.leaf;
  const fetchBundle = useMutation({
    mutationFn: async () => {
      const path = { id: request };
      const bundle = await answeredBytes(api.GET('/api/v1/requests/{id}/evidence', { params: { path }, parseAs: 'arrayBuffer' }));
      download(text.evidenceFile(request), bundle, 'application/zip');
    },
  });
  return (
    <div className={styles.part}>
      {fetchBundle.isError && <Problem fault={fetchBundle.error} />}
      <div className={styles.inline}>
        <Button busy={fetchBundle.isPending} onPress={() => fetchBundle.mutate()}>
          {text.evidence}
        </Button>
        <span className={styles.quiet}>{text.evidenceHint}</span>
      </div>
    </div>
  );
}

/** Clear values; whoever may not see them is told why. */
function Beside({ disclosures }: { disclosures: readonly string[] }) {
  const text = audit.leaf;
  const { me } = useSession();
  const audits = me.roles.includes('auditor');
  return (
    <Part title={text.beside}>
      <p className={styles.quiet}>{!audits ? text.hiddenBeside : disclosures.length > 0 ? text.besideHint : text.noneBeside}</p>
      {disclosures.length > 0 && <Facts rows={disclosures.map(told)} />}
    </Part>
  );
}

/** What cannot be read is shown as it came. */
function told(encoded: string): [string, ReactNode] {
  try {
    const { name, value } = readDisclosure(encoded);
    return [name, <Prose key={encoded} text={typeof value === 'string' ? value : canonicalize(value)} />];
  } catch {
    return ['', <Literal key={encoded} text={encoded} />];
  }
}
