import { Fragment, type ReactNode } from 'react';
import { canonicalize } from '../../verify/canonical';
import { admin } from '../../strings/admin';
import { Literal, Prose } from '../../ui/literal';
import type { Act, ActKey } from './act-document';
import { PersonById } from './person-by-id';
import type { OpenAct } from './use-signature';
import styles from './admin.module.css';

export type Row = [name: string, value: ReactNode];

/** What the act says, from the signed document alone; the names beside ids are the directory's word. */
export function ActFacts({ open, showKey }: { open: OpenAct; showKey: boolean }) {
  const { act, disclosed, document } = open.read;
  const text = admin.act;
  const named: Row[] = [...disclosed.values].map(([name, value]) => [
    name === 'name' ? text.name : name,
    <strong key={name}>
      <Prose text={typeof value === 'string' ? value : canonicalize(value)} />
    </strong>,
  ]);
  const signers = open.signedBy.map((id, position) => (
    <Fragment key={id}>
      {position > 0 && ', '}
      <PersonById id={id} />
    </Fragment>
  ));
  const rows: Row[] = [
    ...named,
    [text.person, named.length > 0 ? <code className={styles.id}>{act.person}</code> : <PersonById id={act.person} withId />],
    ...rowsOf(act, showKey),
    [text.signedBy, signers.length > 0 ? signers : admin.nobody],
    [text.document, <code key="document">{document.sha256}</code>],
  ];
  return <Facts rows={rows} />;
}

/** Names and values, one below the other. */
export function Facts({ rows }: { rows: readonly Row[] }) {
  return (
    <dl className={styles.facts}>
      {rows.map(([name, value], position) => (
        <Fragment key={position}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function rowsOf(act: Act, showKey: boolean): Row[] {
  const text = admin.act;
  switch (act.kind) {
    case 'person.created':
      return [
        [text.roles, act.roles.length > 0 ? <Literal key="roles" text={act.roles.join(', ')} /> : admin.none],
        ...act.attributes.map(([name, value]): Row => [name, <Literal key={name} text={value} />]),
        ...keyRows(act.key, showKey),
      ];
    case 'passkey.enrolled':
      return keyRows(act.key, showKey);
    case 'person.recovered':
      return [[text.effect, text.effects[act.kind]], ...keyRows(act.key, showKey)];
    case 'passkey.removed':
      return [[text.passkey, <Literal key="key" text={act.credentialId} />]];
    case 'recovery.cancelled':
      return [
        [text.effect, text.effects[act.kind]],
        [text.newPasskey, <Literal key="key" text={act.credentialId} />],
      ];
    case 'role.granted':
    case 'role.removed':
      return [[text.role, <Strong key="role" value={act.role} />]];
    case 'attribute.assigned':
      return [[act.name, <Strong key="value" value={act.value} />]];
    case 'person.suspended':
    case 'person.reinstated':
      return [[text.effect, text.effects[act.kind]]];
  }
}

function Strong({ value }: { value: string }) {
  return (
    <strong>
      <Literal text={value} />
    </strong>
  );
}

function keyRows(key: ActKey, showKey: boolean): Row[] {
  const text = admin.act;
  return [
    ...(showKey ? [[text.key, <code key="key">{key.fingerprint}</code>] satisfies Row] : []),
    [text.model, key.model === undefined ? text.noModel : <code key="model">{key.model}</code>],
    [text.saidBy, key.attested ? text.maker : text.itself],
    [text.synced, key.synced ? text.mayBeSynced : text.staysHere],
  ];
}
