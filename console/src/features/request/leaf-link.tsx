import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { request as texts } from '../../strings/request';

/** The name of a leaf of the log; it leads to its content and its proof. */
export function LeafLink({ leaf, children }: { leaf: number; children: ReactNode }) {
  return (
    <Link to="/audit" search={{ leaf }} title={texts.timeline.toLog(leaf)}>
      {children}
    </Link>
  );
}
