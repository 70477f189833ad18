import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { Actions } from '../features/request/actions';
import { EvidenceTab } from '../features/request/evidence-tab';
import { Facts, Meanwhile, Status, useTitleOf } from '../features/request/head';
import type { LoadedRequest } from '../features/request/load';
import { PolicyTab } from '../features/request/policy-tab';
import { RawTab } from '../features/request/raw-tab';
import styles from '../features/request/request.module.css';
import { Timeline } from '../features/request/timeline-list';
import { useRequest } from '../features/request/use-request';
import type { RequestTab } from '../router';
import { Icon } from '../shell/icon';
import { Page } from '../shell/page';
import { request as texts, requests } from '../strings/request';
import { Person } from '../ui/person';
import { Problem } from '../ui/problem';
import { Loading } from '../ui/states';

/** One request, from when it was made to how it ended. */
export function Request() {
  const { id } = useParams({ from: '/requests/$id' });
  return <RequestOf key={id} id={id} />;
}

function RequestOf({ id }: { id: string }) {
  const { loaded, fault, reload } = useRequest(id);
  const title = useTitleOf(loaded?.request.content);
  return (
    <Page title={title || texts.failed(id)} wide beside={loaded && <Person person={loaded.view.requester} />}>
      <p className={styles.back}>
        <Link to="/requests">
          <Icon name="back" size={18} />
          {requests.title}
        </Link>
      </p>
      {fault ? <Problem fault={fault} retry={reload} /> : !loaded && <Loading />}
      {!fault && loaded && <Shown loaded={loaded} />}
    </Page>
  );
}

function Shown({ loaded }: { loaded: LoadedRequest }) {
  return (
    <div className={styles.request}>
      <Status loaded={loaded} />
      <div className={styles.columns}>
        <div className={styles.side}>
          <Meanwhile loaded={loaded} />
          <Actions loaded={loaded} />
          <Facts loaded={loaded} />
        </div>
        <Parts loaded={loaded} />
      </div>
    </div>
  );
}

const PARTS = [
  ['timeline', Timeline],
  ['evidence', EvidenceTab],
  ['policy', PolicyTab],
  ['raw', RawTab],
] as const;

/** The open part stands in the address. */
function Parts({ loaded }: { loaded: LoadedRequest }) {
  const { tab } = useSearch({ from: '/requests/$id' });
  const navigate = useNavigate({ from: '/requests/$id' });
  const open = (key: string) => void navigate({ search: { tab: key === 'timeline' ? undefined : (key as RequestTab) }, replace: true });
  return (
    <Tabs selectedKey={tab ?? 'timeline'} onSelectionChange={(key) => open(String(key))} className={styles.parts}>
      <TabList aria-label={texts.tabs.label} className={styles.tabs}>
        {PARTS.map(([name]) => (
          <Tab key={name} id={name} className={styles.tabHandle}>
            {texts.tabs[name]}
          </Tab>
        ))}
      </TabList>
      {PARTS.map(([name, Part]) => (
        <TabPanel key={name} id={name} className={styles.panel}>
          <Part loaded={loaded} />
        </TabPanel>
      ))}
    </Tabs>
  );
}
