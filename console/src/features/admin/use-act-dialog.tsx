import { useState, type ReactNode } from 'react';
import { ActDialog } from './act-dialog';
import type { Wish } from './act-document';

interface Opened {
  wish: Wish;
  /** Each opening asks for an offer of its own. */
  turn: number;
}

/** Begins acts: what was asked for is shown as it will be signed. */
export function useActDialog(): { begin: (wish: Wish) => void; dialog: ReactNode } {
  const [opened, setOpened] = useState<Opened>();
  const [turn, setTurn] = useState(0);
  const begin = (wish: Wish) => {
    setTurn(turn + 1);
    setOpened({ wish, turn });
  };
  const dialog = opened && <ActDialog key={opened.turn} subject={{ wish: opened.wish }} onClose={() => setOpened(undefined)} />;
  return { begin, dialog };
}
