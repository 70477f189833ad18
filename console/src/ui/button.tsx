import { useId, type MouseEvent, type ReactNode } from 'react';
import { classes } from './classes';
import styles from './ui.module.css';

interface ButtonProps {
  children: ReactNode;
  onPress: () => void;
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  /** Why it cannot be used, for everybody to read; it can be used when absent. */
  why?: string | undefined;
  /** Whether what it started still goes on: it cannot be pressed again meanwhile. */
  busy?: boolean;
  /** A name for screen readers where the visible one is not enough. */
  label?: string;
  type?: 'button' | 'submit';
  className?: string;
}

const KINDS = { plain: undefined, primary: styles.primary, danger: styles.danger, quiet: styles.quietButton };

/** A button. One that cannot be used stays in reach of the keyboard and says why, beside itself and to a screen reader. */
export function Button({ children, onPress, kind = 'plain', why, busy = false, label, type = 'button', className }: ButtonProps) {
  const id = useId();
  const press = (event: MouseEvent) => {
    if (why !== undefined || busy) event.preventDefault();
    else onPress();
  };
  const button = (
    <button
      type={type}
      className={classes(styles.button, KINDS[kind], className)}
      aria-disabled={why !== undefined || busy || undefined}
      aria-busy={busy || undefined}
      aria-describedby={why === undefined ? undefined : id}
      aria-label={label}
      onClick={press}
    >
      {children}
    </button>
  );
  if (why === undefined) return button;
  return (
    <span className={styles.action}>
      {button}
      <span id={id} className={styles.why}>
        {why}
      </span>
    </span>
  );
}
