import { useMutation, useQueryClient } from '@tanstack/react-query';
import { prefer, THEMES, usePreferences } from '../preferences';
import { useSession } from '../session/session';
import { signOut } from '../session/sign-in';
import { shell } from '../strings/shell';
import { Button } from '../ui/button';
import { activeKeys } from '../ui/keyboard';
import { Problem } from '../ui/problem';
import { Dialog } from './dialog';
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

function Appearance() {
  const { theme } = usePreferences();
  return (
    <fieldset className={styles.group}>
      <legend>
        <strong>{shell.theme.title}</strong>
      </legend>
      <div className={styles.choices}>
        {THEMES.map((name) => (
          <label key={name} className={styles.choice}>
            <input type="radio" name="theme" checked={theme === name} onChange={() => prefer({ theme: name })} />
            {shell.theme[name]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const SHOWN: Record<string, string> = { 'mod+k': shell.palette.shortcut };

function Keys() {
  const { singleKeys } = usePreferences();
  return (
    <div className={styles.group}>
      <h3>{shell.keys.title}</h3>
      <label className={styles.choice}>
        <input type="checkbox" checked={singleKeys} onChange={(event) => prefer({ singleKeys: event.target.checked })} />
        {shell.keys.single}
      </label>
      <p className={styles.hint}>{shell.keys.singleHint}</p>
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
