import { useEffect, type ReactNode } from 'react';
import { common } from '../strings/common';
import styles from './shell.module.css';

/** The title of the document, for the history and for screen readers. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${common.product}`;
  }, [title]);
}

interface PageProps {
  title: string;
  /** What stands beside the title, such as buttons. */
  beside?: ReactNode;
  children: ReactNode;
  /** Whether it may be as wide as the window, for tables. */
  wide?: boolean;
}

/** A screen with a heading. */
export function Page({ title, beside, children, wide = false }: PageProps) {
  useTitle(title);
  return (
    <div className={styles.page} data-wide={wide}>
      <header className={styles.pageHead}>
        <h1>{title}</h1>
        {beside}
      </header>
      {children}
    </div>
  );
}
