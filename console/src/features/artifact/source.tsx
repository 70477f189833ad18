import { useMemo, type ReactNode } from 'react';
import { Visible } from '../../ui/literal';
import { classes } from '../../ui/classes';
import { toneOf, type ArtifactKind } from './kinds';
import { tokens, type TokenKind } from './sql';
import styles from './artifact.module.css';

interface Piece {
  kind: TokenKind | undefined;
  text: string;
}

const KEYWORDS =
  /^(select|insert|update|delete|merge|truncate|create|alter|drop|grant|revoke|begin|commit|rollback|from|where|join|left|right|inner|outer|full|cross|on|into|values|set|table|index|view|concurrently|if|not|exists|and|or|as|order|group|by|having|limit|offset|union|all|distinct|with|recursive|returning|using|default|null|primary|key|references|unique|constraint|check|add|column|type|rename|to|cascade|restrict|only|in|is|like|between|case|when|then|else|end|do|call|copy|analyze|vacuum|lock|savepoint|function|procedure|trigger|role|user|schema|database|sequence|extension|policy)$/i;

/** The text whole, line by line, with its hidden characters shown. Colours are an aid; nothing is left out or moved. */
export function Source({ text, kind, label, lines: most }: { text: string; kind: ArtifactKind; label: string; lines?: number | undefined }) {
  const lines = useMemo(() => linesOf(text, kind), [text, kind]);
  const shown = most === undefined ? lines : lines.slice(0, most);
  return (
    <pre className={styles.source} tabIndex={0} aria-label={label} role="region">
      <code>
        {shown.map((line, position) => (
          <Line key={position} pieces={line} tone={toneOf(kind, line.map((piece) => piece.text).join(''))} />
        ))}
      </code>
    </pre>
  );
}

function Line({ pieces, tone }: { pieces: Piece[]; tone: string | undefined }): ReactNode {
  return (
    <span className={styles.line} data-tone={tone}>
      {pieces.map(({ kind, text }, position) =>
        kind === undefined || kind === 'space' ? (
          <Visible key={position} text={text} multiline />
        ) : (
          <span key={position} className={classes(styles[kind], kind === 'word' && KEYWORDS.test(text) && styles.keyword)}>
            <Visible text={text} multiline />
          </span>
        ),
      )}
    </span>
  );
}

/** The number of lines; a last line end begins none. */
export function lineCount(text: string): number {
  return text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function linesOf(text: string, kind: ArtifactKind): Piece[][] {
  const whole = text.endsWith('\n') ? text.slice(0, -1) : text;
  const pieces: Piece[] = kind === 'sql' ? tokens(whole) : [{ kind: undefined, text: whole }];
  const lines: Piece[][] = [[]];
  for (const piece of pieces) {
    piece.text.split('\n').forEach((part, position) => {
      if (position > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ ...piece, text: part });
    });
  }
  return lines;
}
