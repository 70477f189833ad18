import type { ReactNode } from 'react';

/** The name of a leaf of the log. */
export function LeafLink({ children }: { leaf: number; children: ReactNode }) {
  return <code>{children}</code>;
}
