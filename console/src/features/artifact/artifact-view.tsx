import { decision as texts } from '../../strings/decision';
import { common } from '../../strings/common';
import { byteSize } from '../../ui/format';
import { pieces } from '../../ui/hidden';
import { Visible } from '../../ui/literal';
import { Button } from '../../ui/button';
import { Notice } from '../../ui/notice';
import { MAX_ARTIFACT_BYTES, type Artifact, type Unseen } from '../decision/artifacts';
import { kindOf } from './kinds';
import { lineCount, Source } from './source';
import { Summary } from './summary';
import styles from './artifact.module.css';

const text = texts.artifact;

interface ArtifactViewProps {
  artifact: Artifact;
  undoes: boolean;
  /** How many lines are shown; all when absent. */
  lines?: number | undefined;
  onShowWhole: () => void;
}

/** One file, typed: what it does in short, then its very text. */
export function ArtifactView({ artifact, undoes, lines, onShowWhole }: ArtifactViewProps) {
  const { reference, text: source } = artifact;
  const kind = source === undefined ? 'text' : kindOf(reference.name, reference.media_type, source);
  return (
    <article className={styles.artifact}>
      <header className={styles.head}>
        <h3>
          <Visible text={reference.name} />
        </h3>
        <span className={styles.kind}>{text.kinds[kind]}</span>
        {undoes && <span className={styles.undoes}>{text.undoes}</span>}
        {source !== undefined && <Measure source={source} size={reference.size} lines={lines} />}
      </header>
      {source === undefined ? (
        <Notice tone="warn" title={text.notShown}>
          <p>{artifact.unseen && unseenText(artifact.unseen, reference.size)}</p>
          <p>
            <code>{reference.sha256}</code>
          </p>
        </Notice>
      ) : (
        <>
          <Summary source={source} kind={kind} />
          <Source text={source} kind={kind} label={text.contents(reference.name)} lines={lines} />
          {lines !== undefined && lineCount(source) > lines && (
            <Button kind="quiet" onPress={onShowWhole}>
              {text.showWhole(lineCount(source))}
            </Button>
          )}
        </>
      )}
    </article>
  );
}

/** Why a file is not shown. */
export function unseenText(unseen: Unseen, size: number): string {
  switch (unseen.why) {
    case 'too_long':
      return text.unseen.too_long(byteSize(size), byteSize(MAX_ARTIFACT_BYTES));
    case 'not_text':
      return text.unseen.not_text();
    case 'not_fetched':
      return text.unseen.not_fetched(unseen.reason);
  }
}

function Measure({ source, size, lines }: { source: string; size: number; lines: number | undefined }) {
  const all = lineCount(source);
  const hidden = pieces(source, true).filter((piece) => piece.hidden).length;
  const shown = lines === undefined || all <= lines ? text.whole : text.head(lines, all);
  return (
    <span className={styles.measure}>
      {`${common.lines(all)}, ${byteSize(size)} · ${shown}`}
      {hidden > 0 && <strong className={styles.hiddenCount}>{text.hidden(hidden)}</strong>}
    </span>
  );
}
