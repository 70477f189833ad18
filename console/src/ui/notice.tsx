import type { ReactNode } from 'react';
import styles from './ui.module.css';

interface NoticeProps {
  tone: 'bad' | 'warn' | 'good' | 'plain';
  title?: string;
  children?: ReactNode;
  /** Whether a screen reader is told at once; for what happens after an act. */
  alert?: boolean;
}

/** Something that must be seen before going on. */
export function Notice({ tone, title, children, alert = false }: NoticeProps) {
  return (
    <div className={styles.notice} data-tone={tone} role={alert ? 'alert' : undefined}>
      {title !== undefined && <p className={styles.noticeTitle}>{title}</p>}
      {children}
    </div>
  );
}
