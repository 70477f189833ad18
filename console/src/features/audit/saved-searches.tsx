import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { audit } from '../../strings/audit';
import { common } from '../../strings/common';
import { Button } from '../../ui/button';
import { canonicalize } from '../../verify/canonical';
import { forgetSearch, saveSearch, useSavedSearches } from './saved';
import { isEmpty, type AuditFilter } from './search';
import styles from './audit.module.css';

/** Searches that come with the console, and those that somebody kept in this browser. */
export function SavedSearches({ filter }: { filter: AuditFilter }) {
  const text = audit.saved;
  const saved = useSavedSearches();
  const isSaved = [...text.builtIn.map(([, wanted]) => wanted), ...saved.map((search) => search.filter)].some((wanted) => isSame(wanted, filter));
  return (
    <nav aria-label={text.title} className={styles.saved}>
      <ul>
        {text.builtIn.map(([name, wanted]) => (
          <li key={name}>
            <Choice name={name} wanted={wanted} filter={filter} />
          </li>
        ))}
        {saved.map(({ name, filter: wanted }) => (
          <li key={`saved ${name}`} className={styles.own}>
            <Choice name={name} wanted={wanted} filter={filter} />
            <button type="button" className={styles.forget} aria-label={text.remove(name)} title={text.remove(name)} onClick={() => forgetSearch(name)}>
              ×
            </button>
          </li>
        ))}
        {!isEmpty(filter) && !isSaved && (
          <li>
            <Save filter={filter} />
          </li>
        )}
      </ul>
    </nav>
  );
}

function isSame(left: AuditFilter, right: AuditFilter): boolean {
  return canonicalize(left) === canonicalize(right);
}

function Choice({ name, wanted, filter }: { name: string; wanted: AuditFilter; filter: AuditFilter }) {
  const chosen = isSame(wanted, filter);
  return (
    <Link to="/audit" search={wanted} className={styles.choice} aria-current={chosen ? 'true' : undefined} activeProps={{}} activeOptions={{ exact: true, includeSearch: true }}>
      {name}
    </Link>
  );
}

function Save({ filter }: { filter: AuditFilter }) {
  const text = audit.saved;
  const [name, setName] = useState<string>();
  if (name === undefined) {
    return (
      <Button kind="quiet" onPress={() => setName('')}>
        {text.save}
      </Button>
    );
  }
  const keep = () => {
    saveSearch({ name: name.trim(), filter });
    setName(undefined);
  };
  return (
    <form
      className={styles.keep}
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== '') keep();
      }}
    >
      <input autoFocus aria-label={text.name} placeholder={text.name} value={name} maxLength={60} onChange={(event) => setName(event.target.value)} />
      <Button type="submit" why={name.trim() === '' ? text.nameFirst : undefined} onPress={() => {}}>
        {text.keep}
      </Button>
      <Button kind="quiet" onPress={() => setName(undefined)}>
        {common.cancel}
      </Button>
      <span className={styles.quiet}>{text.here}</span>
    </form>
  );
}
