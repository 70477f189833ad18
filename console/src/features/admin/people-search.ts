/** Finding people by the words that their row says. */
import type { Schema } from '../../client/client';

type PersonView = Schema<'PersonView'>;

/** Those that have every word somewhere; by name, and those without one last. */
export function peopleMatching(people: readonly PersonView[], typed: string): PersonView[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = people.filter((person) => {
    const said = saidBy(person);
    return words.every((word) => said.includes(word));
  });
  return found.sort((left, right) => byName(left, right));
}

function saidBy({ person, name, roles, attributes }: PersonView): string {
  const pairs = Object.entries(attributes).map(([attribute, value]) => `${attribute}=${value}`);
  return [person, name, ...roles, ...pairs].filter(Boolean).join(' ').toLowerCase();
}

function byName(left: PersonView, right: PersonView): number {
  if (!left.name !== !right.name) return left.name ? -1 : 1;
  return (left.name ?? '').localeCompare(right.name ?? '') || (left.person < right.person ? -1 : 1);
}

/** Every role that somebody holds, to be offered where one is typed. */
export function rolesHeld(people: readonly PersonView[]): string[] {
  return [...new Set(people.flatMap(({ roles }) => roles))].sort();
}
