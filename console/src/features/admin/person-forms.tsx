import { useMutation, useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { answered, api } from '../../client/client';
import { personsQuery } from '../../client/queries';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { Problem } from '../../ui/problem';
import { OneTimeLink } from './invite-dialog';
import { rolesHeld } from './people-search';
import styles from './admin.module.css';

/** A role to give; roles that somebody holds are offered, any other may be typed. */
export function RoleForm({ why, onGive }: { why: string | undefined; onGive: (role: string) => void }) {
  const text = admin.people;
  const list = useId();
  const hint = useId();
  const [role, setRole] = useState('');
  const persons = useQuery(personsQuery);
  const typed = role.trim();
  return (
    <div className={styles.stack}>
      <div className={styles.form}>
        <label className={styles.field}>
          {text.giveRole}
          <input value={role} list={list} onChange={(event) => setRole(event.target.value)} autoComplete="off" autoCapitalize="off" aria-describedby={hint} />
        </label>
        <datalist id={list}>
          {rolesHeld(persons.data?.items ?? []).map((held) => (
            <option key={held} value={held} />
          ))}
        </datalist>
        <div className={styles.formEnd}>
          <Button why={why ?? (typed === '' ? text.writeRole : undefined)} onPress={() => onGive(typed)}>
            {text.give}
          </Button>
        </div>
      </div>
      <p id={hint} className={styles.quiet}>
        {text.rolesHint}
      </p>
    </div>
  );
}

export function AttributeForm({ why, onSet }: { why: string | undefined; onSet: (name: string, value: string) => void }) {
  const text = admin.people;
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const complete = name.trim() !== '' && value.trim() !== '';
  return (
    <div className={styles.form}>
      <label className={styles.field}>
        {text.attributeName}
        <input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoCapitalize="off" />
      </label>
      <label className={styles.field}>
        {text.attributeValue}
        <input value={value} onChange={(event) => setValue(event.target.value)} autoComplete="off" autoCapitalize="off" />
      </label>
      <div className={styles.formEnd}>
        <Button why={why ?? (complete ? undefined : text.writeAttribute)} onPress={() => onSet(name.trim(), value.trim())}>
          {text.set}
        </Button>
      </div>
    </div>
  );
}

/** A link for somebody who lost every passkey. */
export function RecoveryLink({ person, why }: { person: string; why: string | undefined }) {
  const text = admin.people;
  const make = useMutation({ mutationFn: () => answered(api.POST('/api/v1/recoveries', { body: { person } })) });
  if (make.data) return <OneTimeLink link={make.data} next={admin.waiting.enrolmentsHint} />;
  return (
    <>
      {make.isError && <Problem fault={make.error} />}
      <div className={styles.actions}>
        <Button why={why} busy={make.isPending} onPress={() => make.mutate()}>
          {text.recover}
        </Button>
      </div>
    </>
  );
}
