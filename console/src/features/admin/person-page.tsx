import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../client/client';
import { personsQuery } from '../../client/queries';
import { useSession } from '../../session/session';
import { useTitle } from '../../shell/page';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { Literal } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Person } from '../../ui/person';
import { Problem } from '../../ui/problem';
import { Empty, Loading } from '../../ui/states';
import { Moment, Remaining } from '../../ui/time';
import type { Wish } from './act-document';
import { useWhyNotAdministrator } from './may';
import { PasskeyList } from './passkey-list';
import { AttributeForm, RecoveryLink, RoleForm } from './person-forms';
import { useActDialog } from './use-act-dialog';
import styles from './admin.module.css';

type PersonView = Schema<'PersonView'>;

interface PartProps {
  person: PersonView;
  begin: (wish: Wish) => void;
  why: string | undefined;
}

/** One person: what they hold, and every act that changes it. */
export function PersonPage() {
  const { id } = useParams({ from: '/admin/people/$id' });
  const persons = useQuery(personsQuery);
  const person = persons.data?.items.find((one) => one.person === id);
  const { begin, dialog } = useActDialog();
  const why = useWhyNotAdministrator();
  useTitle(person?.name ?? id);
  const part = person && { person, begin, why };
  return (
    <>
      <p className={styles.back}>
        <Link to="/admin">{admin.people.all}</Link>
      </p>
      {persons.isError && <Problem fault={persons.error} retry={() => void persons.refetch()} />}
      {persons.isPending && <Loading />}
      {persons.data && !person && (
        <Empty title={admin.people.notFound[0]}>
          <p>{admin.people.notFound[1]}</p>
        </Empty>
      )}
      {part && (
        <>
          <div className={styles.rowMain}>
            <h2 className={styles.who}>
              <Person person={part.person} />
            </h2>
            <code className={styles.id}>{part.person.person}</code>
          </div>
          <Recovery {...part} />
          <Roles {...part} />
          <Attributes {...part} />
          <Passkeys {...part} />
          <Standing {...part} />
          <Lost {...part} />
        </>
      )}
      {dialog}
    </>
  );
}

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.block}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Recovery({ person, begin, why }: PartProps) {
  const { me } = useSession();
  const text = admin.people;
  const { recovery } = person;
  if (!recovery) return null;
  const wish: Wish = { act: 'recovery.cancelled', body: { person: person.person, credential_id: recovery.credential_id } };
  // Somebody who is being recovered may always stop it, also with a session that only looks.
  const own = person.person === me.person;
  return (
    <Notice tone="warn" title={text.recovering}>
      <p>
        {text.countsFrom} <Moment value={recovery.counts_from} /> (<Remaining until={recovery.counts_from} />)
      </p>
      <p>
        <Button why={own ? undefined : why} onPress={() => begin(wish)}>
          {text.stop}
        </Button>
      </p>
    </Notice>
  );
}

function Roles({ person, begin, why }: PartProps) {
  const text = admin.people;
  return (
    <Block title={text.roles}>
      {person.roles.length === 0 && <p className={styles.quiet}>{text.noRoles}</p>}
      {person.roles.length > 0 && (
        <ul className={styles.rows} aria-label={text.roles}>
          {person.roles.map((role) => (
            <li key={role} className={styles.row}>
              <Literal text={role} />
              <Button kind="quiet" why={why} label={`${text.take} ${role}`} onPress={() => begin({ act: 'role.removed', body: { person: person.person, role } })}>
                {text.take}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <RoleForm why={why} onGive={(role) => begin({ act: 'role.granted', body: { person: person.person, role } })} />
    </Block>
  );
}

function Attributes({ person, begin, why }: PartProps) {
  const text = admin.people;
  const pairs = Object.entries(person.attributes);
  return (
    <Block title={text.attributes}>
      {pairs.length === 0 && <p className={styles.quiet}>{text.noAttributes}</p>}
      {pairs.length > 0 && (
        <dl className={styles.facts}>
          {pairs.map(([name, value]) => [
            <dt key={name}>
              <Literal text={name} />
            </dt>,
            <dd key={`${name} value`}>
              <Literal text={value} />
            </dd>,
          ])}
        </dl>
      )}
      <AttributeForm why={why} onSet={(name, value) => begin({ act: 'attribute.assigned', body: { person: person.person, name, value } })} />
    </Block>
  );
}

function Passkeys({ person, begin, why }: PartProps) {
  const text = admin.people;
  return (
    <Block title={text.passkeysTitle}>
      {person.passkeys.length === 0 && <p className={styles.quiet}>{text.noPasskeys}</p>}
      <PasskeyList
        passkeys={person.passkeys}
        why={why}
        onRemove={(credential_id) => begin({ act: 'passkey.removed', body: { person: person.person, credential_id } })}
      />
    </Block>
  );
}

function Standing({ person, begin, why }: PartProps) {
  const text = admin.people;
  const act = person.suspended ? 'person.reinstated' : 'person.suspended';
  return (
    <Block title={text.standing}>
      <p>{person.suspended ? text.isSuspended : text.inGoodStanding}</p>
      <div className={styles.actions}>
        <Button kind={person.suspended ? 'plain' : 'danger'} why={why} onPress={() => begin({ act, body: { person: person.person } })}>
          {person.suspended ? text.reinstate : text.suspend}
        </Button>
      </div>
    </Block>
  );
}

function Lost({ person, why }: PartProps) {
  const { me } = useSession();
  const text = admin.people;
  return (
    <Block title={text.recovery}>
      <p className={styles.quiet}>{text.recoveryHint}</p>
      <RecoveryLink person={person.person} why={why ?? (person.person === me.person ? text.recoverSelf : undefined)} />
    </Block>
  );
}
