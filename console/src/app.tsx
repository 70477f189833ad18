import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { isSignedOut, ProblemError } from './client/client';
import { KEYS } from './client/queries';
import { router } from './router';
import { SessionGate } from './session/session';

const STALE_MS = 30_000;
const RETRIES = 2;

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeSignOut }),
  mutationCache: new MutationCache({ onError: noticeSignOut }),
  defaultOptions: {
    queries: { staleTime: STALE_MS, retry: mayHelpToRetry, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <SessionGate>
        <RouterProvider router={router} />
      </SessionGate>
    </QueryClientProvider>
  );
}

/** A session that ended is seen at whichever question comes next. */
function noticeSignOut(fault: unknown, context: unknown): void {
  if (!isSignedOut(fault) || isAboutSession(context)) return;
  void queries.invalidateQueries({ queryKey: [KEYS.whoami] });
}

function isAboutSession(context: unknown): boolean {
  return (context as { queryKey?: readonly unknown[] } | undefined)?.queryKey?.[0] === KEYS.whoami;
}

/** What the server refused stays refused. */
function mayHelpToRetry(failures: number, fault: Error): boolean {
  const refused = fault instanceof ProblemError && fault.problem.status >= 400 && fault.problem.status < 500;
  return !refused && failures < RETRIES;
}
