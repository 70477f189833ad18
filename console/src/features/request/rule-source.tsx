import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schema } from '../../client/client';
import { request as texts } from '../../strings/request';
import { Problem } from '../../ui/problem';
import { Visible } from '../../ui/literal';
import { policyFile, policyQuery, ruleAt } from './policy';
import styles from './request.module.css';

interface SourceProps {
  part: 'rule' | 'factor' | 'stage' | 'obligation';
  /** Its name in the verdict. */
  name: string;
  /** Digest of the bundle that said it. */
  policy: string;
}

const text = texts.policy;

/** The rule behind something in a verdict, while the bundle that said it is the active one. */
export function RuleSource({ part, name, policy }: SourceProps) {
  const active = useQuery(policyQuery);
  const same = active.data?.policy_sha256 === policy;
  const source = same ? active.data?.sources.find((one) => one.part === part && one.name === name) : undefined;
  if (!same || !active.data) return <Name name={name} />;
  if (!source) return <Name name={name} note={text.noSource} />;
  return <Opened key={policy} name={name} source={source} files={active.data.files} policy={policy} />;
}

function Name({ name, note }: { name: string; note?: string }) {
  return (
    <p className={styles.rule}>
      <code>
        <Visible text={name} />
      </code>
      {note !== undefined && ` · ${note}`}
    </p>
  );
}

interface OpenedProps {
  name: string;
  source: Schema<'PolicySource'>;
  files: Schema<'PolicyFile'>[];
  policy: string;
}

function Opened({ name, source: { file, line }, files, policy }: OpenedProps) {
  const [open, setOpen] = useState(false);
  const content = useQuery({ queryKey: ['policy', policy, file], queryFn: () => policyFile(policy, files, file), enabled: open, staleTime: Infinity, retry: false });
  const place = text.source(file, line);
  return (
    <details className={styles.rule} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code>
          <Visible text={name} />
        </code>{' '}
        · {place}
      </summary>
      {content.isError && <Problem fault={content.error} />}
      {content.data !== undefined && (
        <pre className={styles.raw} tabIndex={0} role="region" aria-label={place}>
          <code>
            <Visible text={ruleAt(content.data, line).text} multiline />
          </code>
        </pre>
      )}
    </details>
  );
}

/** Says when the rules that are active now are not those that decided. */
export function OtherPolicy({ policy }: { policy: string }) {
  const active = useQuery(policyQuery);
  if (!active.data || active.data.policy_sha256 === policy) return null;
  return <p className={styles.quiet}>{text.otherPolicy}</p>;
}
