import { useQuery } from '@tanstack/react-query';
import { createContext, use, type ReactNode } from 'react';
import { isSignedOut, type Schema } from '../client/client';
import { serverQuery, whoamiQuery } from '../client/queries';
import { LiveProvider } from '../live/live';
import { Problem } from '../ui/problem';
import { Loading } from '../ui/states';
import { SignIn } from './sign-in-screen';

interface Session {
  me: Schema<'WhoAmI'>;
  server: Schema<'ServerInformation'>;
}

const SessionContext = createContext<Session | undefined>(undefined);

/** Who is signed in, and where. Only inside {@link SessionGate}. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error('used outside SessionGate');
  return session;
}

/** Shows its children to whoever is signed in, and the sign-in to everybody else, at the same address. */
export function SessionGate({ children }: { children: ReactNode }) {
  const server = useQuery(serverQuery);
  const whoami = useQuery(whoamiQuery);
  if (server.data && isSignedOut(whoami.error)) return <SignIn server={server.data} />;
  if (server.data && whoami.data) {
    return (
      <SessionContext value={{ me: whoami.data, server: server.data }}>
        <LiveProvider key={whoami.data.session}>{children}</LiveProvider>
      </SessionContext>
    );
  }
  const failed = [server, whoami].find(({ isError }) => isError);
  if (failed) return <Problem fault={failed.error} retry={() => void Promise.all([server.refetch(), whoami.refetch()])} />;
  return <Loading />;
}
