import type { Schema } from '../client/client';
import { common } from '../strings/common';
import { useSession } from '../session/session';
import { Visible } from './literal';
import styles from './ui.module.css';

/** A person: the name is the directory's word, the id is what is signed. `withId` shows both. */
export function Person({ person, withId = false }: { person: Schema<'PersonReference'>; withId?: boolean }) {
  const { me } = useSession();
  return (
    <span title={person.person}>
      {person.name && (
        <span className={styles.person}>
          <Visible text={person.name} />
        </span>
      )}
      {(withId || !person.name) && (
        <>
          {person.name && ' '}
          <span className={styles.id}>{person.person}</span>
        </>
      )}
      {person.person === me.person && ` (${common.you})`}
    </span>
  );
}
