import { Person } from '../../ui/person';
import { usePeople } from './queries';

/** A person of whom only the id is known; the name is the directory's word. */
export function PersonById({ id, withId = false }: { id: string; withId?: boolean }) {
  const people = usePeople();
  return <Person person={people(id)} withId={withId} />;
}
