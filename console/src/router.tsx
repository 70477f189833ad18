/**
 * Every screen and its address. A screen is a file in routes/, loaded when it is opened; adding one is a route here
 * and, where it has a place in the frame, an entry in shell/navigation.ts.
 */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { INBOX_VIEWS, type InboxView } from './client/queries';
import { NotFound } from './shell/not-found';
import { Shell } from './shell/shell';
import { Problem } from './ui/problem';
import { Loading } from './ui/states';

/** Which list of the inbox, and what its rows must say. */
interface InboxSearch {
  view?: InboxView | undefined;
  q?: string | undefined;
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const inbox = createRoute({
  getParentRoute: () => root,
  id: 'inbox-layout',
  validateSearch: (search): InboxSearch => ({
    view: INBOX_VIEWS.find((view) => view === search.view),
    q: typeof search.q === 'string' && search.q !== '' ? search.q : undefined,
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

const routes = root.addChildren([inbox.addChildren([inboxList, decision])]);

export const router = createRouter({
  routeTree: routes,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingComponent: Loading,
  defaultErrorComponent: ({ error, reset }) => <Problem fault={error} retry={reset} />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
