/** Why a person may not decide something. The page's own reasons come before the server's. */
import { decision as texts } from '../../strings/decision';
import { moment } from '../../ui/format';
import type { Wish } from './offer';
import { isWhole, type Review } from './review';

/** Which decisions the state of the request leaves. */
export function openKinds({ view, request }: Review, me: string): Wish['kind'][] {
  const own = request.content.requester === me || request.content.beneficiary.person === me;
  const decided = view.decisions.some(({ person }) => person.person === me);
  switch (view.state) {
    case 'pending':
      return [...(own ? [] : (['approve', 'reject'] as const)), ...(decided ? (['withdraw'] as const) : [])];
    case 'approved':
      return ['withdraw', 'revoke'];
    case 'active':
    case 'unknown':
      return ['revoke'];
    default:
      return [];
  }
}

/** `undefined` when nothing stands in the way. `now` in milliseconds since 1970. */
export function obstacle(review: Review, kind: Wish['kind'], me: string, now: number): string | undefined {
  const { view } = review;
  const mine = view.decisions.filter(({ person, revision }) => person.person === me && revision === view.revision);
  const last = mine.at(-1)?.decision;
  const fills = kind === 'approve' || kind === 'reject';
  if (fills && last !== undefined && last !== 'withdraw') return texts.obstacle.decided(last);
  if (kind === 'withdraw' && last !== 'approve') return texts.obstacle.nothingToWithdraw;
  if (view.state === 'pending' && !(moment(view.clocks.lapses_at) > now)) return texts.obstacle.over;
  if (kind === 'approve' && !isWhole(review)) return texts.obstacle.notWhole;
  return saidByServer(view.actions, kind);
}

function saidByServer(actions: Review['view']['actions'], kind: string): string | undefined {
  const said = Object.hasOwn(actions, kind) ? actions[kind] : undefined;
  if (said?.allowed === true) return undefined;
  return said?.reason ?? texts.obstacle.notOffered;
}
