import { decision as texts } from '../../strings/decision';
import { isObject } from '../../verify/canonical';
import { ArtifactView } from '../artifact/artifact-view';
import { lineCount, Source } from '../artifact/source';
import { Summary } from '../artifact/summary';
import { Parameters } from './parts';
import { isHigh, type Review } from './review';
import styles from './decision.module.css';

const HEAD_LINES = { phone: 7, desktop: 40 };

/** How many lines of each file are shown at first; all for a high risk. */
export function headLines(review: Review, phone: boolean): number | undefined {
  if (isHigh(review)) return undefined;
  return phone ? HEAD_LINES.phone : HEAD_LINES.desktop;
}

/** Whether something of what would be approved is folded away. */
export function isFolded(review: Review, lines: number | undefined): boolean {
  return lines !== undefined && review.artifacts.some(({ text }) => text !== undefined && lineCount(text) > lines);
}

interface ArtifactsProps {
  review: Review;
  lines: number | undefined;
  onShowWhole: () => void;
}

/** What will happen: the files, typed, else the command that is asked for; then the parameters. */
export function Artifacts({ review, lines, onShowWhole }: ArtifactsProps) {
  const { artifacts, request } = review;
  const text = texts.artifact;
  const command = commandOf(review);
  // What is done comes before what undoes it.
  const ordered = [...artifacts].sort((left, right) => rank(left.reference.name) - rank(right.reference.name));
  function rank(name: string): number {
    return request.content.undo.includes(name) ? 1 : 0;
  }
  return (
    <section className={styles.artifacts} aria-labelledby="artifacts">
      <h2 id="artifacts">{text.one}</h2>
      {command !== undefined && (
        <div className={styles.command}>
          <h3>{text.onlyCommand}</h3>
          <Summary source={command} kind="command" />
          <Source text={command} kind="command" label={text.kinds.command} />
        </div>
      )}
      {ordered.map((artifact) => (
        <ArtifactView key={artifact.reference.name} artifact={artifact} undoes={rank(artifact.reference.name) === 1} lines={lines} onShowWhole={onShowWhole} />
      ))}
      <Parameters review={review} />
    </section>
  );
}

/** The one command of an access that is bound to one. */
function commandOf({ request, entitlement }: Review): string | undefined {
  const connector = isObject(entitlement?.connector) ? entitlement.connector : {};
  const ssh = isObject(connector.ssh) ? connector.ssh : {};
  const bound = isObject(ssh.force_command) ? ssh.force_command.parameter : undefined;
  const value = typeof bound === 'string' ? request.content.parameters[bound] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
