import { useId } from 'react';
import { prefer, THEMES, usePreferences } from '../preferences';
import { shell } from '../strings/shell';
import styles from './dialog.module.css';

/** Light, dark, or as the system has it. */
export function Appearance() {
  const group = useId();
  const { theme } = usePreferences();
  return (
    <fieldset className={styles.group}>
      <legend>
        <strong>{shell.theme.title}</strong>
      </legend>
      <div className={styles.choices}>
        {THEMES.map((name) => (
          <label key={name} className={styles.choice}>
            <input type="radio" name={group} checked={theme === name} onChange={() => prefer({ theme: name })} />
            {shell.theme[name]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Whether keys without Ctrl do something (WCAG 2.2, 2.1.4). */
export function SingleKeys() {
  const { singleKeys } = usePreferences();
  return (
    <>
      <label className={styles.choice}>
        <input type="checkbox" checked={singleKeys} onChange={(event) => prefer({ singleKeys: event.target.checked })} />
        {shell.keys.single}
      </label>
      <p className={styles.hint}>{shell.keys.singleHint}</p>
    </>
  );
}
