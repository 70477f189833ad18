import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useSession } from '../session/session';
import { Page } from '../shell/page';
import { admin } from '../strings/admin';
import { useFollowPeople, waitingActsQuery } from '../features/admin/queries';
import styles from '../features/admin/admin.module.css';

export { PeopleList } from '../features/admin/people-list';
export { PersonPage } from '../features/admin/person-page';
export { WaitingPage } from '../features/admin/waiting-page';

const SECTIONS = [
  { to: '/admin', label: admin.sections.people, covers: /^\/admin\/?(people\/.*)?$/ },
  { to: '/admin/waiting', label: admin.sections.waiting, covers: /^\/admin\/waiting/ },
  { to: '/admin/alerts', label: admin.sections.alerts, covers: /^\/admin\/alerts/ },
  { to: '/admin/entitlements', label: admin.sections.entitlements, covers: /^\/admin\/entitlements/ },
  { to: '/admin/trust', label: admin.sections.trust, covers: /^\/admin\/trust/ },
] as const;

/** The administration; each part has an address of its own. */
export function Administration() {
  useFollowPeople();
  const { me } = useSession();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const { data } = useQuery(waitingActsQuery);
  const mine = data?.items.filter(({ signed_by }) => !signed_by.includes(me.person)).length ?? 0;
  return (
    <Page title={admin.title}>
      <nav aria-label={admin.sectionsLabel} className={styles.sections}>
        {SECTIONS.map(({ to, label, covers }) => (
          <Link key={to} to={to} className={styles.section} aria-current={covers.test(path) ? 'page' : undefined} activeOptions={{ exact: true }} activeProps={{}}>
            {label}
            {to === '/admin/waiting' && mine > 0 && <span className={styles.badge}>{mine}</span>}
          </Link>
        ))}
      </nav>
      <Outlet />
    </Page>
  );
}
