import { useSession } from '../../session/session';
import { decision as texts } from '../../strings/decision';
import { Notice } from '../../ui/notice';
import { usePast } from '../../ui/time';
import type { Review } from './review';
import styles from './decision.module.css';

/** What forbids or changes a decision, said before anything else. */
export function Notices({ review }: { review: Review }) {
  const { me, server } = useSession();
  const { view, request, verdict } = review;
  const late = usePast(view.clocks.lapses_at);
  const own = request.content.requester === me.person || request.content.beneficiary.person === me.person;
  const decided = view.decisions.some(({ person, revision }) => person.person === me.person && revision === view.revision);
  const pending = view.state === 'pending';
  return (
    <div className={styles.notices}>
      {own && pending && (
        <Notice tone="plain" title={texts.own[0]}>
          <p>
            {texts.own[1]} {view.matching_number && texts.yourNumber(view.matching_number)}
          </p>
        </Notice>
      )}
      {pending && late && (
        <Notice tone="warn" title={texts.expired[0]}>
          <p>{texts.expired[1]}</p>
        </Notice>
      )}
      {!own && !pending && (
        <Notice tone="plain" title={texts.decidedAlready[0]}>
          <p>{texts.states[view.state] ?? view.state}</p>
        </Notice>
      )}
      {!own && pending && decided && <Notice tone="plain" title={texts.youDecided} />}
      {pending && server.policy_sha256 !== verdict.content.policy_sha256 && <Notice tone="warn">{texts.policyChanged}</Notice>}
    </div>
  );
}
