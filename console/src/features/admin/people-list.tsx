import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { Schema } from '../../client/client';
import { personsQuery } from '../../client/queries';
import { shell } from '../../strings/shell';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { useKeys } from '../../ui/keyboard';
import { Literal } from '../../ui/literal';
import { Person } from '../../ui/person';
import { Problem } from '../../ui/problem';
import { Empty, Loading } from '../../ui/states';
import { InviteDialog } from './invite-dialog';
import { useWhyNotAdministrator } from './may';
import { peopleMatching } from './people-search';
import styles from './admin.module.css';

/** Everybody, with roles and standing. */
export function PeopleList() {
  const text = admin.people;
  const persons = useQuery(personsQuery);
  const { q = '' } = useSearch({ from: '/admin/' });
  const all = persons.data?.items ?? [];
  const found = peopleMatching(all, q);
  return (
    <>
      <Toolbar q={q} />
      {persons.isError && <Problem fault={persons.error} retry={() => void persons.refetch()} />}
      {persons.isPending && <Loading />}
      {persons.data && (
        <p className={styles.quiet} role="status">
          {text.count(found.length, all.length)} · {text.namedBy}
        </p>
      )}
      {persons.data && found.length === 0 && (
        <Empty title={text.empty[0]}>
          <p>{text.empty[1]}</p>
        </Empty>
      )}
      {found.length > 0 && (
        <ul className={styles.rows} aria-label={text.list}>
          {found.map((person) => (
            <li key={person.person}>
              <PersonRow person={person} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Toolbar({ q }: { q: string }) {
  const text = admin.people;
  const why = useWhyNotAdministrator();
  const navigate = useNavigate();
  const search = useRef<HTMLInputElement>(null);
  const [inviting, setInviting] = useState(false);
  useKeys([{ key: '/', label: shell.keys.search, run: () => search.current?.focus() }]);
  const filter = (typed: string) => void navigate({ to: '/admin', search: { q: typed || undefined }, replace: true });
  return (
    <div className={styles.toolbar}>
      <label className={styles.field}>
        {text.filter}
        <input ref={search} type="search" value={q} placeholder={text.filterHint} onChange={(event) => filter(event.target.value)} />
      </label>
      <Button kind="primary" why={why} onPress={() => setInviting(true)}>
        {admin.invite.open}
      </Button>
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
    </div>
  );
}

function PersonRow({ person }: { person: Schema<'PersonView'> }) {
  const text = admin.people;
  return (
    <Link to="/admin/people/$id" params={{ id: person.person }} className={styles.row}>
      <span className={styles.rowMain}>
        <Person person={person} />
        <span className={styles.id}>{person.person}</span>
      </span>
      <span className={styles.rowSide}>
        {person.suspended && (
          <span className={styles.chip} data-tone="bad">
            {text.suspended}
          </span>
        )}
        {person.recovery && (
          <span className={styles.chip} data-tone="warn">
            {text.recovering}
          </span>
        )}
        {person.roles.map((role) => (
          <span key={role} className={styles.chip}>
            <Literal text={role} />
          </span>
        ))}
        {person.roles.length === 0 && <span className={styles.quiet}>{text.noRoles}</span>}
      </span>
    </Link>
  );
}
