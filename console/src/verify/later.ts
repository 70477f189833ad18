/** Which of the events that came later take something back: the reason why somebody looks at a newer log. */

import type { LaterEvent } from './newer';

const TAKES_BACK: ReadonlySet<string> = new Set([
  'request.cancelled',
  'request.rejected',
  'grant.revoked',
  'lease.revoked',
  'rollback.started',
  'rollback.finished',
  'redaction.made',
  'person.suspended',
  'person.recovered',
  'passkey.removed',
  'role.removed',
]);

export function takesBack({ kind }: LaterEvent): boolean {
  return TAKES_BACK.has(kind);
}

/** Whom it is about, where it is about a person. */
export function personOf({ stream }: LaterEvent): string | undefined {
  return stream.startsWith('identity/') ? stream.slice('identity/'.length) : undefined;
}
