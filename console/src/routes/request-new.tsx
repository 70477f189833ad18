import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../client/client';
import { entitlementsQuery, requestQuery } from '../client/queries';
import { reveal } from '../features/documents/disclosures';
import { Findings } from '../features/documents/findings';
import { examineRequest } from '../features/documents/request';
import { AskForm } from '../features/new-request/ask-form';
import styles from '../features/new-request/new-request.module.css';
import { Picker } from '../features/new-request/picker';
import { wishOfAddress, wishOfRequest, type Wish } from '../features/new-request/wish';
import { useLatestEntitlements } from '../features/new-request/use-latest';
import { useSession } from '../session/session';
import { Page } from '../shell/page';
import { newRequest as texts } from '../strings/new-request';
import { Notice } from '../ui/notice';
import { Problem } from '../ui/problem';
import { Loading } from '../ui/states';

/** Where somebody asks: picks, fills in, sees what would come of it, and signs. */
export function NewRequest() {
  const search = useSearch({ from: '/requests/new' });
  if (search.revises !== undefined) return <Revision key={search.revises} id={search.revises} />;
  if (search.entitlement === undefined) return <Choose />;
  return <Ask key={JSON.stringify(search)} name={search.entitlement} initial={wishOfAddress(search)} prefilled={Object.keys(search).length > 1} />;
}

function Choose() {
  const entitlements = useQuery(entitlementsQuery);
  const recent = useLatestEntitlements();
  return (
    <Page title={texts.title}>
      {entitlements.isError && <Problem fault={entitlements.error} retry={() => void entitlements.refetch()} />}
      {entitlements.isPending && <Loading />}
      {entitlements.data && <Picker entitlements={entitlements.data.items} recent={recent} />}
    </Page>
  );
}

function Ask({ name, initial, prefilled }: { name: string; initial: Wish; prefilled: boolean }) {
  const before = prefilled && <Notice tone="plain">{texts.prefilled}</Notice>;
  return <WithEntitlement name={name}>{(entitlement) => <Form entitlement={entitlement} initial={initial} before={before} />}</WithEntitlement>;
}

/** An edit: the form holds what the signed document says. */
function Revision({ id }: { id: string }) {
  const { server } = useSession();
  const request = useQuery(requestQuery(id));
  const version = request.data?.version;
  const read = useQuery({
    queryKey: ['revision', id, version],
    queryFn: () => readForRevision(request.data as Schema<'RequestView'>, id, server.log_origin),
    enabled: request.data !== undefined,
    retry: false,
  });
  const fault = request.error ?? read.error;
  if (fault) return <Page title={texts.revision}>{<Problem fault={fault} retry={() => void request.refetch()} />}</Page>;
  if (!read.data || !request.data) return <Loading />;
  const { wish, entitlement, revision } = read.data;
  const before = <Notice tone="warn">{texts.revisionLead(id)}</Notice>;
  return (
    <WithEntitlement name={entitlement}>
      {(known) => <Form key={version} entitlement={known} initial={wish} before={before} revised={{ id, revision, version: version ?? 0 }} />}
    </WithEntitlement>
  );
}

async function readForRevision(view: Schema<'RequestView'>, id: string, logOrigin: string) {
  const findings = new Findings();
  const read = await findings.collect('request document', async () => {
    const { content } = await examineRequest(findings, view, id, logOrigin);
    const { values } = await reveal(findings, content.concealed, view.disclosures);
    const justification = values.get('justification');
    return { wish: wishOfRequest(content, typeof justification === 'string' ? justification : ''), entitlement: content.entitlement.name, revision: content.revision };
  });
  return findings.settle(read);
}

function WithEntitlement({ name, children }: { name: string; children: (entitlement: Schema<'EntitlementView'>) => ReactNode }) {
  const entitlements = useQuery(entitlementsQuery);
  if (entitlements.isError) return <Page title={texts.title}>{<Problem fault={entitlements.error} retry={() => void entitlements.refetch()} />}</Page>;
  if (!entitlements.data) return <Loading />;
  const found = entitlements.data.items.find((one) => one.name === name);
  if (found) return children(found);
  return (
    <Page title={texts.title}>
      <Notice tone="warn" title={texts.unknown[0]}>
        <p>
          <code>{name}</code> · {texts.unknown[1]}
        </p>
      </Notice>
      <Picker entitlements={entitlements.data.items} recent={[]} />
    </Page>
  );
}

function Form({ entitlement, initial, before, revised }: Omit<Parameters<typeof AskForm>[0], 'onDone' | 'revised'> & { revised?: Parameters<typeof AskForm>[0]['revised'] }) {
  const navigate = useNavigate();
  const beside = revised === undefined && (
    <Link to="/requests/new" search={{}} className={styles.other}>
      {texts.picker.change}
    </Link>
  );
  return (
    <Page title={revised === undefined ? entitlement.title : texts.revision} beside={beside} wide>
      <AskForm entitlement={entitlement} initial={initial} before={before} revised={revised} onDone={(id) => void navigate({ to: '/requests/$id', params: { id } })} />
    </Page>
  );
}
