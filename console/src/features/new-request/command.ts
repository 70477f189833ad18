/** The same request on the command line, to be copied. */
import type { Schema } from '../../client/client';

/** One word of a POSIX shell. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** `chancery request create …` with everything that was filled in. Files are named as they were here. */
export function createCommand(draft: Schema<'DraftRequest'>): string {
  const words = ['chancery', 'request', 'create', quoted(draft.entitlement)];
  // Joined, so that a value that begins with a hyphen is no option.
  const option = (name: string, value: string) => words.push(`${name}=${quoted(value)}`);
  for (const [name, value] of Object.entries(draft.parameters ?? {})) {
    option('--set', `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  for (const { name } of draft.artifacts ?? []) option('--artifact', `${name}=${name}`);
  for (const name of draft.undo ?? []) option('--undo', name);
  if (draft.justification) option('--reason', draft.justification);
  if (draft.ticket) option('--ticket', draft.ticket);
  option('--ttl', `${draft.grant_seconds}s`);
  if (draft.not_before) option('--start', draft.not_before);
  if (draft.beneficiary) option('--for', draft.beneficiary);
  return words.join(' ');
}

/** What waits for the decision, with the exit code of the answer. */
export function waitCommand(id: string): string {
  return `chancery request wait ${quoted(id)}`;
}
