import type { ReactNode } from 'react';
import { usePhone } from '../../ui/phone';
import styles from './audit.module.css';

/** A part of the drawer, whose title is the first of the screen on a phone. */
export function Part({ title, children }: { title: string; children: ReactNode }) {
  const Title = usePhone() ? 'h2' : 'h3';
  return (
    <section className={styles.part}>
      <Title className={styles.partTitle}>{title}</Title>
      {children}
    </section>
  );
}
