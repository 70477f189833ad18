/** How each of the things that were given came out, for the place where it was given. */

import type { CheckName } from './checks';
import type { Verification } from './verify';

/** Places: the bundle, the verifier's own trust, and a newer log. */
export type Place = 'evidence' | 'trust' | 'log';

/** `ready` says nothing yet: it can be read, and no check of it has passed or failed. */
export type Came = 'ready' | 'pass' | 'bad';

/** The one check that is about this thing, and not about the bundle. */
const OWN: Record<Exclude<Place, 'evidence'>, CheckName> = { trust: 'trust-root', log: 'newer-log' };

/** INVARIANT: nothing is shown as good beside a verification that failed. */
export function came(place: Place, verification: Verification | undefined): Came {
  if (verification === undefined) return 'ready';
  const { failed, passed } = verification;
  if (passed) return 'pass';
  return place === 'evidence' || failed.includes(OWN[place]) ? 'bad' : 'ready';
}
