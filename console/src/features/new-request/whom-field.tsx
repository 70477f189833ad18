import { useQuery } from '@tanstack/react-query';
import { personsQuery } from '../../client/queries';
import { useSession } from '../../session/session';
import { newRequest as texts } from '../../strings/new-request';
import { Choice } from './fields';

/** Somebody's id, chosen by their name. */
export function WhomField({ value, onChange }: { value: string; onChange: (person: string) => void }) {
  const { me } = useSession();
  const persons = useQuery(personsQuery);
  const others = (persons.data?.items ?? []).filter(({ person, suspended }) => person !== me.person && !suspended);
  const known = others.some(({ person }) => person === value);
  const options = [
    { value: me.person, label: texts.myself },
    ...others.map(({ person, name }) => ({ value: person, label: name ?? person, note: name ? person : undefined })),
    ...(value !== '' && !known ? [{ value, label: value }] : []),
  ];
  return <Choice label={texts.beneficiary} value={value === '' ? me.person : value} onChange={(person) => onChange(person === me.person ? '' : person)} options={options} required />;
}
