import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useSession } from '../session/session';
import { signOut } from '../session/sign-in';
import { shell } from '../strings/shell';
import { Button } from '../ui/button';
import { activeKeys } from '../ui/keyboard';
import { usePhone } from '../ui/phone';
import { Problem } from '../ui/problem';
import { Dialog } from './dialog';
import { Icon } from './icon';
import { entriesFor } from './navigation';
import { Appearance, SingleKeys } from './preference-fields';
import styles from './dialog.module.css';

interface PreferencesProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Appearance, keys, and the way out. */
export function PreferencesDialog({ open, onOpenChange }: PreferencesProps) {
  const { me } = useSession();
  const queries = useQueryClient();
  const leave = useMutation({ mutationFn: signOut, onSuccess: () => queries.resetQueries() });
  return (
    <Dialog title={shell.preferences} open={open} onOpenChange={onOpenChange}>
      <OtherScreens onGo={() => onOpenChange(false)} />
      <Appearance />
      <Keys />
      {leave.isError && <Problem fault={leave.error} />}
      <div className={styles.footer}>
        <span>{shell.signedInAs(me.name ?? me.person)}</span>
        <Button busy={leave.isPending} onPress={() => leave.mutate()}>
          {shell.signOut}
        </Button>
      </div>
    </Dialog>
  );
}

/** On a phone, the screens that have no tab. */
function OtherScreens({ onGo }: { onGo: () => void }) {
  const { me } = useSession();
  const phone = usePhone();
  const others = entriesFor(me).filter(({ tab }) => !tab);
  if (!phone || others.length === 0) return null;
  return (
    <nav aria-label={shell.otherScreens} className={styles.screens}>
      {others.map(({ to, label, icon }) => (
        <Link key={to} to={to} className={styles.screen} onClick={onGo}>
          <Icon name={icon} />
          {label}
        </Link>
      ))}
    </nav>
  );
}

const SHOWN: Record<string, string> = { 'mod+k': shell.palette.shortcut };

function Keys() {
  return (
    <div className={styles.group}>
      <h3>{shell.keys.title}</h3>
      <SingleKeys />
      <dl className={styles.keys}>
        {activeKeys().map(({ key, label }) => (
          <div key={key} className={styles.choices}>
            <dt>
              <kbd>{SHOWN[key] ?? key}</kbd>
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
