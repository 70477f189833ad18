import { useQuery } from '@tanstack/react-query';
import { useRef, useState, type ChangeEvent } from 'react';
import { personsQuery } from '../../client/queries';
import { audit } from '../../strings/audit';
import { shell } from '../../strings/shell';
import { Button } from '../../ui/button';
import { useKeys } from '../../ui/keyboard';
import { fromLocalInput, isEmpty, toLocalInput, type AuditFilter } from './search';
import styles from './audit.module.css';

interface FiltersProps {
  filter: AuditFilter;
  onChange: (filter: AuditFilter) => void;
}

/** What is searched for; each change is the address's. */
export function Filters({ filter, onChange }: FiltersProps) {
  const search = useRef<HTMLInputElement>(null);
  const further = filter.kind ?? filter.person ?? filter.since ?? filter.until ?? filter.order;
  const [open, setOpen] = useState(further !== undefined);
  useKeys([{ key: '/', label: shell.keys.search, run: () => search.current?.focus() }]);
  const set = (change: Partial<AuditFilter>) => onChange({ ...filter, ...change });
  return (
    <search aria-label={audit.filters} className={styles.filters}>
      <label className={styles.field} data-wide>
        {audit.text}
        <Delayed inputRef={search} value={filter.text ?? ''} onChange={(text) => set({ text: text || undefined })} />
      </label>
      <label className={styles.field}>
        {audit.about}
        <select value={filter.stream ?? ''} onChange={(event) => set({ stream: event.target.value || undefined })}>
          {streamChoices(filter.stream).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {open && <Further filter={filter} set={set} />}
      <div className={styles.filterEnd}>
        <Button kind="quiet" onPress={() => setOpen(!open)}>
          {open ? audit.fewer : audit.more}
        </Button>
        {!isEmpty(filter) && (
          <Button kind="quiet" onPress={() => onChange({})}>
            {audit.clear}
          </Button>
        )}
      </div>
    </search>
  );
}

const MOST_CHARACTERS = 200;
const PAUSE_MS = 300;

/** Asks once somebody pauses, and not for each letter. */
function Delayed({ inputRef, value, onChange }: { inputRef: React.RefObject<HTMLInputElement | null>; value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState({ value, text: value });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // What the address says counts again once it was changed by something else.
  const text = typed.value === value ? typed.text : value;
  const type = (event: ChangeEvent<HTMLInputElement>) => {
    const next = event.target.value;
    setTyped({ value, text: next });
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next.trim()), PAUSE_MS);
  };
  return <input ref={inputRef} type="search" value={text} maxLength={MOST_CHARACTERS} placeholder={audit.textHint} onChange={type} />;
}

function Further({ filter, set }: { filter: AuditFilter; set: (change: Partial<AuditFilter>) => void }) {
  const persons = useQuery(personsQuery);
  const kinds = Object.entries(audit.kinds);
  const isKnown = filter.kind === undefined || Object.hasOwn(audit.kinds, filter.kind);
  const people = persons.data?.items ?? [];
  const knowsPerson = filter.person === undefined || people.some(({ person }) => person === filter.person);
  return (
    <>
      <label className={styles.field}>
        {audit.kind}
        <select value={filter.kind ?? ''} onChange={(event) => set({ kind: event.target.value || undefined })}>
          <option value="">{audit.anyKind}</option>
          {!isKnown && <option value={filter.kind}>{`${filter.kind}…`}</option>}
          {kinds.map(([kind, label]) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label className={styles.field}>
        {audit.person}
        <select value={filter.person ?? ''} onChange={(event) => set({ person: event.target.value || undefined })}>
          <option value="">{audit.anybody}</option>
          {!knowsPerson && <option value={filter.person}>{filter.person}</option>}
          {people.map(({ person, name }) => (
            <option key={person} value={person}>
              {name ?? person}
            </option>
          ))}
        </select>
      </label>
      <label className={styles.field} data-moment>
        {audit.since}
        <input type="datetime-local" value={toLocalInput(filter.since)} onChange={(event) => set({ since: fromLocalInput(event.target.value) })} />
      </label>
      <label className={styles.field} data-moment>
        {audit.until}
        <input type="datetime-local" value={toLocalInput(filter.until)} onChange={(event) => set({ until: fromLocalInput(event.target.value) })} />
      </label>
      <label className={styles.field}>
        {audit.order}
        <select value={filter.order ?? ''} onChange={(event) => set({ order: event.target.value === 'oldest' ? 'oldest' : undefined })}>
          <option value="">{audit.orders.newest}</option>
          <option value="oldest">{audit.orders.oldest}</option>
        </select>
      </label>
    </>
  );
}

/** The choices, and the one stream that an address names. */
function streamChoices(chosen: string | undefined): (readonly [string, string])[] {
  const known = audit.streams.some(([value]) => value === (chosen ?? ''));
  return known || chosen === undefined ? [...audit.streams] : [...audit.streams, [chosen, audit.oneStream(chosen)]];
}
