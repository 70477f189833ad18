/**
 * Every screen and its address. A screen is a file in routes/, loaded when it is opened; adding one is a route here
 * and, where it has a place in the frame, an entry in shell/navigation.ts.
 */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, parseSearchWith, stringifySearchWith } from '@tanstack/react-router';
import { INBOX_VIEWS, type InboxView } from './client/queries';
import { readSearch, type AuditSearch } from './features/audit/search';
import { NotFound } from './shell/not-found';
import { Shell } from './shell/shell';
import { Problem } from './ui/problem';
import { Loading } from './ui/states';

/** The parts of a request's screen; the timeline when none is named. */
const REQUEST_TABS = ['evidence', 'policy', 'raw'] as const;
export type RequestTab = (typeof REQUEST_TABS)[number];

/** Which list of the inbox, and what its rows must say. */
interface InboxSearch {
  view?: InboxView | undefined;
  q?: string | undefined;
}

/** Values of an address as they were written; what is given twice is none. */
function texts(search: Record<string, unknown>): Record<string, string> {
  const plain = Object.entries(search).filter(([, value]) => typeof value !== 'object' && value !== undefined);
  return Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const inbox = createRoute({
  getParentRoute: () => root,
  id: 'inbox-layout',
  validateSearch: (search): InboxSearch => ({
    view: INBOX_VIEWS.find((view) => view === search.view),
    q: texts(search).q || undefined,
  }),
  component: lazyRouteComponent(() => import('./routes/inbox'), 'InboxLayout'),
});
const inboxList = createRoute({
  getParentRoute: () => inbox,
  path: '/',
  component: lazyRouteComponent(() => import('./routes/inbox'), 'NothingChosen'),
});
const decision = createRoute({
  getParentRoute: () => inbox,
  path: '/inbox/$id',
  component: lazyRouteComponent(() => import('./routes/decision'), 'Decision'),
});

const requests = createRoute({
  getParentRoute: () => root,
  path: '/requests',
  validateSearch: (search): { q?: string | undefined } => ({ q: texts(search).q || undefined }),
  component: lazyRouteComponent(() => import('./routes/requests'), 'Requests'),
});
const newRequest = createRoute({
  getParentRoute: () => root,
  path: '/requests/new',
  // Whatever stands in the address fills the form in (features/new-request/wish.ts).
  validateSearch: (search): Record<string, string> => texts(search),
  component: lazyRouteComponent(() => import('./routes/request-new'), 'NewRequest'),
});
const request = createRoute({
  getParentRoute: () => root,
  path: '/requests/$id',
  validateSearch: (search): { tab?: RequestTab | undefined } => ({ tab: REQUEST_TABS.find((tab) => tab === search.tab) }),
  component: lazyRouteComponent(() => import('./routes/request'), 'Request'),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: (search): AuditSearch => readSearch(search),
  component: lazyRouteComponent(() => import('./routes/audit'), 'Audit'),
});
const verify = createRoute({ getParentRoute: () => root, path: '/verify', component: lazyRouteComponent(() => import('./routes/verify'), 'Verify') });
const me = createRoute({ getParentRoute: () => root, path: '/me', component: lazyRouteComponent(() => import('./routes/me'), 'Me') });

const admin = createRoute({
  getParentRoute: () => root,
  path: '/admin',
  component: lazyRouteComponent(() => import('./routes/admin'), 'Administration'),
});
const people = createRoute({
  getParentRoute: () => admin,
  path: '/',
  validateSearch: (search): { q?: string | undefined } => ({ q: texts(search).q || undefined }),
  component: lazyRouteComponent(() => import('./routes/admin'), 'PeopleList'),
});
const person = createRoute({
  getParentRoute: () => admin,
  path: '/people/$id',
  component: lazyRouteComponent(() => import('./routes/admin'), 'PersonPage'),
});
const waiting = createRoute({
  getParentRoute: () => admin,
  path: '/waiting',
  validateSearch: (search): { act?: string | undefined } => ({ act: texts(search).act || undefined }),
  component: lazyRouteComponent(() => import('./routes/admin'), 'WaitingPage'),
});
const alerts = createRoute({
  getParentRoute: () => admin,
  path: '/alerts',
  validateSearch: (search): { state?: 'all' | undefined } => ({ state: search.state === 'all' ? 'all' : undefined }),
  component: lazyRouteComponent(() => import('./routes/admin-alerts'), 'AlertsPage'),
});
const entitlements = createRoute({
  getParentRoute: () => admin,
  path: '/entitlements',
  component: lazyRouteComponent(() => import('./routes/admin-entitlements'), 'EntitlementsPage'),
});
const trust = createRoute({
  getParentRoute: () => admin,
  path: '/trust',
  component: lazyRouteComponent(() => import('./routes/admin-trust'), 'TrustPage'),
});

const routes = root.addChildren([inbox.addChildren([inboxList, decision]), requests, newRequest, request, audit, verify, me, admin.addChildren([people, person, waiting, alerts, entitlements, trust])]);

export const router = createRouter({
  routeTree: routes,
  defaultPreload: 'intent',
  scrollRestoration: true,
  // Texts stay texts: `1.10` in an address is no number.
  parseSearch: parseSearchWith((value) => value),
  stringifySearch: stringifySearchWith(JSON.stringify),
  defaultPendingComponent: Loading,
  defaultErrorComponent: ({ error, reset }) => <Problem fault={error} retry={reset} />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
