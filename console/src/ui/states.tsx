import type { ReactNode } from 'react';
import { common } from '../strings/common';
import styles from './ui.module.css';

/** Nothing is there, and what that means. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p className={styles.emptyTitle}>{title}</p>
      {children}
    </div>
  );
}

const BONES = [0, 1, 2, 3, 4, 5];

/** Something is on its way. */
export function Loading() {
  return (
    <div className={styles.skeleton} role="status" aria-label={common.loading}>
      {BONES.map((bone) => (
        <span key={bone} className={styles.bone} aria-hidden />
      ))}
    </div>
  );
}

/** For screen readers alone. */
export function Unseen({ children }: { children: ReactNode }) {
  return <span className={styles.hidden}>{children}</span>;
}
