import { Link, useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { Schema } from '../../client/client';
import { newRequest as texts } from '../../strings/new-request';
import { duration } from '../../ui/format';
import { useKeys } from '../../ui/keyboard';
import { Visible } from '../../ui/literal';
import { Empty } from '../../ui/states';
import { shell } from '../../strings/shell';
import { longestOf } from './lengths';
import styles from './new-request.module.css';

type Entitlement = Schema<'EntitlementView'>;

interface PickerProps {
  entitlements: readonly Entitlement[];
  /** Names that were asked for lately, the latest first. */
  recent: readonly string[];
}

const text = texts.picker;

/** Which of the things that may be asked for. */
export function Picker({ entitlements, recent }: PickerProps) {
  const [typed, setTyped] = useState('');
  const search = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  useKeys([{ key: '/', label: shell.keys.search, run: () => search.current?.focus() }]);
  if (entitlements.length === 0) return <Empty title={text.empty[0]}>{text.empty[1]}</Empty>;
  const found = entitlements.filter((one) => matches(one, typed));
  const lately = recent.flatMap((name) => entitlements.find((one) => one.name === name) ?? []);
  const choose = () => {
    if (typed !== '' && found[0]) void navigate({ to: '/requests/new', search: { entitlement: found[0].name } });
  };
  return (
    <div className={styles.picker}>
      <input
        ref={search}
        type="search"
        className={styles.search}
        placeholder={text.search}
        aria-label={text.search}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && choose()}
        autoFocus
      />
      {typed === '' && lately.length > 0 && <Group title={text.recent} list={lately} />}
      {found.length > 0 ? (
        <Group title={typed === '' ? text.all : text.found} list={found} />
      ) : (
        <Empty title={text.none[0]}>{text.none[1]}</Empty>
      )}
    </div>
  );
}

function Group({ title, list }: { title: string; list: readonly Entitlement[] }) {
  return (
    <section className={styles.group} aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {list.map((one) => (
          <li key={one.name}>
            <Card entitlement={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Card({ entitlement }: { entitlement: Entitlement }) {
  const { name, title, kind, data } = entitlement;
  const longest = longestOf(data);
  return (
    <Link to="/requests/new" search={{ entitlement: name }} className={styles.card}>
      <span className={styles.cardTitle}>
        <Visible text={title} />
      </span>
      <span className={styles.hint}>
        <code>{name}</code> · {text.kinds[kind] ?? kind}
        {longest !== undefined && ` · ${text.atMost(duration(longest))}`}
      </span>
      {description(data) !== '' && (
        <span>
          <Visible text={description(data)} />
        </span>
      )}
    </Link>
  );
}

/** What the bundle says that it is for; empty when it says nothing. */
export function description(data: Entitlement['data']): string {
  const said = (data as Record<string, unknown>).description;
  return typeof said === 'string' ? said : '';
}

function matches({ name, title, data }: Entitlement, typed: string): boolean {
  const text = `${name} ${title} ${description(data)}`.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
