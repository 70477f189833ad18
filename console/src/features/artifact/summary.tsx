import { decision as texts } from '../../strings/decision';
import { Visible } from '../../ui/literal';
import { agrees, commandWarnings, diffCounts, planCounts, type ArtifactKind } from './kinds';
import { statements, type Statement } from './sql';
import styles from './artifact.module.css';

const text = texts.artifact;

/** What the text does, in short. */
export function Summary({ source, kind }: { source: string; kind: ArtifactKind }) {
  switch (kind) {
    case 'sql':
      return <Statements list={statements(source)} />;
    case 'terraform':
      return <Plan source={source} />;
    case 'diff':
      return <Diff source={source} />;
    case 'command':
      return <Warnings list={commandWarnings(source).map((warning) => text.warnings[warning])} />;
    case 'text':
      return null;
  }
}

function Statements({ list }: { list: Statement[] }) {
  return (
    <ol className={styles.statements} aria-label={text.statements(list.length)}>
      {list.filter(({ kind }) => !['BEGIN', 'COMMIT', 'START', 'END', 'SET'].includes(kind)).map(({ kind, tables, warning }, position) => (
        <li key={position} className={styles.statement} data-warning={warning !== undefined}>
          <strong>
            <Visible text={kind} />
          </strong>
          {tables.length > 0 && (
            <>
              {' '}
              {text.onTables}{' '}
              <code>
                <Visible text={tables.join(', ')} />
              </code>
            </>
          )}
          {warning && <span className={styles.warning}>{text.warnings[warning]}</span>}
        </li>
      ))}
    </ol>
  );
}

function Plan({ source }: { source: string }) {
  const counts = planCounts(source);
  const shown = [
    ['add', counts.add],
    ['change', counts.change],
    ['replace', counts.replace],
    ['destroy', counts.destroy],
  ] as const;
  return (
    <>
      <ul className={styles.counts}>
        {shown.map(([name, count]) => (
          <li key={name} className={styles.count} data-tone={count > 0 ? name : undefined}>
            <strong>{count}</strong> {text.plan[name]}
          </li>
        ))}
      </ul>
      {!agrees(counts) && <Warnings list={[text.warnings.summary_differs]} />}
    </>
  );
}

function Diff({ source }: { source: string }) {
  const { added, removed } = diffCounts(source);
  return (
    <ul className={styles.counts}>
      <li className={styles.count} data-tone={added > 0 ? 'add' : undefined}>
        {text.added(added)}
      </li>
      <li className={styles.count} data-tone={removed > 0 ? 'destroy' : undefined}>
        {text.removed(removed)}
      </li>
    </ul>
  );
}

function Warnings({ list }: { list: string[] }) {
  if (list.length === 0) return null;
  return (
    <p>
      {list.map((warning) => (
        <span key={warning} className={styles.warning}>
          {warning}
        </span>
      ))}
    </p>
  );
}
