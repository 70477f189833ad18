/** What the signed-in person's session is good for here, so that a control can say why it is off. The server decides. */
import { useSession } from '../../session/session';
import { admin } from '../../strings/admin';

/** Why this person cannot begin acts on others; `undefined` when they can. */
export function useWhyNotAdministrator(): string | undefined {
  const { me } = useSession();
  if (me.held) return admin.held;
  return me.roles.includes('identity_admin') ? undefined : admin.onlyAdministrators;
}
