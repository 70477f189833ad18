import { Fragment, type ReactNode } from 'react';
import { common } from '../strings/common';
import { pieces } from './hidden';
import styles from './ui.module.css';

/** Text that somebody else wrote, with every character that would not be seen made visible. */
export function Visible({ text, multiline = false }: { text: string; multiline?: boolean }): ReactNode {
  return pieces(text, multiline).map((piece, position) =>
    piece.hidden ? (
      <mark key={position} className={styles.mark} title={common.hiddenCharacter}>
        {piece.text}
      </mark>
    ) : (
      <Fragment key={position}>{piece.text}</Fragment>
    ),
  );
}

/** A value as it is signed: character by character, left to right. */
export function Literal({ text, multiline = false }: { text: string; multiline?: boolean }) {
  return (
    <code className={styles.literal}>
      <Visible text={text} multiline={multiline} />
    </code>
  );
}

/** Words of a person, such as a reason. */
export function Prose({ text }: { text: string }) {
  return (
    <span className={styles.prose}>
      <Visible text={text} multiline />
    </span>
  );
}
