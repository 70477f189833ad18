import styles from './request.module.css';

interface SourceProps {
  part: 'rule' | 'factor' | 'stage' | 'obligation';
  /** Its name in the verdict. */
  name: string;
  /** Digest of the bundle that said it. */
  policy: string;
}

/** The rule behind something in a verdict. */
export function RuleSource({ name }: SourceProps) {
  return (
    <p className={styles.rule}>
      <code>{name}</code>
    </p>
  );
}
