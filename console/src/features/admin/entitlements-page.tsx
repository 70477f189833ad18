import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Schema } from '../../client/client';
import { entitlementsQuery } from '../../client/queries';
import { admin } from '../../strings/admin';
import { duration, fingerprintOf } from '../../ui/format';
import { Literal, Prose } from '../../ui/literal';
import { Problem } from '../../ui/problem';
import { Empty, Loading } from '../../ui/states';
import { isObject, type JsonObject } from '../../verify/canonical';
import { Facts } from './act-facts';
import { formFields } from './form-fields';
import { policyQuery } from './queries';
import { selectorWords } from './selector';
import styles from './admin.module.css';

/** What may be asked for, by whom, for how long, and who decides. */
export function EntitlementsPage() {
  const text = admin.entitlements;
  const entitlements = useQuery(entitlementsQuery);
  const policy = useQuery(policyQuery);
  if (entitlements.isError) return <Problem fault={entitlements.error} retry={() => void entitlements.refetch()} />;
  if (entitlements.isPending) return <Loading />;
  const { items } = entitlements.data;
  if (items.length === 0) {
    return (
      <Empty title={text.empty[0]}>
        <p>{text.empty[1]}</p>
      </Empty>
    );
  }
  return (
    <>
      <p className={styles.quiet}>{text.intro}</p>
      <ul className={styles.cards}>
        {items.map((item) => (
          <li key={item.name}>
            <Entitlement item={item} />
          </li>
        ))}
      </ul>
      {policy.data && <Stages sources={policy.data.sources} />}
    </>
  );
}

function Entitlement({ item }: { item: Schema<'EntitlementView'> }) {
  const text = admin.entitlements;
  const data: JsonObject = item.data;
  return (
    <article className={styles.card} id={item.name}>
      <div className={styles.blockHead}>
        <h2>
          {item.title} <code className={styles.id}>{item.name}</code>
        </h2>
        <span className={styles.chip}>{text.kinds[item.kind] ?? item.kind}</span>
      </div>
      {typeof data.description === 'string' && (
        <p>
          <Prose text={data.description} />
        </p>
      )}
      <Facts
        rows={[
          [text.mayAsk, selectorWords(data.may_ask)],
          ...(typeof data.risk_tier === 'string' ? [[text.tier, data.risk_tier] satisfies [string, ReactNode]] : []),
          [text.clocks, <Clocks key="clocks" clocks={isObject(data.clocks) ? data.clocks : {}} />],
          [text.connector, isObject(data.connector) ? Object.keys(data.connector).join(', ') : admin.none],
          [text.blast, <Lines key="blast" lines={Array.isArray(data.blast_radius) ? data.blast_radius.map(String) : []} none={text.noBlast} />],
          [text.digest, <code key="digest">{fingerprintOf(item.sha256)}</code>],
        ]}
      />
      <Form form={item.form} title={item.title} />
      <details className={styles.source}>
        <summary>{text.more}</summary>
        <pre tabIndex={0} aria-label={text.more}>
          <Literal text={JSON.stringify(item.data, null, 2)} multiline />
        </pre>
      </details>
    </article>
  );
}

/** In the order in which they run. */
function Clocks({ clocks }: { clocks: JsonObject }) {
  const text = admin.entitlements;
  const known = Object.keys(text.clockNames);
  const entries = Object.entries(clocks).sort(([left], [right]) => known.indexOf(left) - known.indexOf(right));
  return (
    <ul>
      {entries.map(([name, seconds]) => (
        <li key={name}>
          {text.clockNames[name] ?? name} <strong>{typeof seconds === 'number' ? duration(seconds) : String(seconds)}</strong>
        </li>
      ))}
    </ul>
  );
}

function Lines({ lines, none }: { lines: readonly string[]; none: string }) {
  if (lines.length === 0) return none;
  return (
    <ul>
      {lines.map((line) => (
        <li key={line}>
          <Prose text={line} />
        </li>
      ))}
    </ul>
  );
}

/** The stages that rules of the bundle name, and where they stand. */
function Stages({ sources }: { sources: readonly Schema<'PolicySource'>[] }) {
  const text = admin.entitlements;
  const stages = sources.filter(({ part }) => part === 'stage');
  return (
    <section className={styles.block}>
      <h2>{text.stages}</h2>
      <p className={styles.quiet}>{stages.length > 0 ? text.stagesHint : text.noStages}</p>
      <ul className={styles.rows}>
        {stages.map(({ name, file, line }) => (
          <li key={`${name} ${file} ${line}`} className={styles.row}>
            <strong>{name}</strong>
            <code className={styles.id}>
              {file}:{line}
            </code>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Form({ form, title }: { form: JsonObject; title: string }) {
  const text = admin.entitlements;
  const fields = formFields(form);
  if (fields.length === 0) return <p className={styles.quiet}>{text.noForm}</p>;
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={`${text.form}: ${title}`}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{text.field}</th>
            <th scope="col">{text.rule}</th>
            <th scope="col">{text.whether}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ name, title: label, rule, required }) => (
            <tr key={name}>
              <th scope="row">
                {label} <code className={styles.id}>{name}</code>
              </th>
              <td>
                <Literal text={rule} />
              </td>
              <td>{required ? text.required : text.optional}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

