import { useSession } from '../../session/session';
import { decision as texts } from '../../strings/decision';
import { common } from '../../strings/common';
import { Prose, Visible } from '../../ui/literal';
import { Person } from '../../ui/person';
import { Moment, Relative } from '../../ui/time';
import { selectorText } from './parts';
import type { Review } from './review';
import type { Stage } from '../documents/verdict';
import styles from './decision.module.css';

const text = texts.stages;

/** Who decides: seats, who sits, who may, what is missing; and which policy said so. */
export function Stages({ review }: { review: Review }) {
  const { verdict, view } = review;
  const { stages, obligations, policy_sha256, engine } = verdict.content;
  return (
    <section aria-labelledby="stages">
      <h2 id="stages">{text.title}</h2>
      {stages.length === 0 && <p className={styles.quiet}>{text.none}</p>}
      <ul className={styles.stages}>
        {stages.map((stage) => (
          <StageRow key={stage.id} stage={stage} review={review} />
        ))}
      </ul>
      {view.decisions.length > 0 && (
        <ul className={styles.bullets} aria-label={text.decisions(view.decisions.length)}>
          {view.decisions.map((one) => (
            <li key={one.leaf_index}>
              <Person person={one.person} /> · {texts.kinds[one.decision] ?? one.decision} · <Moment value={one.time} />
              {one.suspicious && <strong className={styles.suspicious}> · {text.suspicious}</strong>}
              {one.reason && (
                <blockquote className={styles.words}>
                  <Prose text={one.reason} />
                </blockquote>
              )}
            </li>
          ))}
        </ul>
      )}
      {view.seen.length > 0 && (
        <p className={styles.quiet}>
          {text.seen}{' '}
          {view.seen.map(({ person, time }, position) => (
            <span key={person.person}>
              {position > 0 && ', '}
              <Person person={person} /> <Relative value={time} />
            </span>
          ))}
        </p>
      )}
      <p className={styles.quiet}>
        {obligations.length > 0 && `${text.obligations}: ${obligations.map((name) => name.replaceAll('_', ' ')).join(', ')} · `}
        {text.policy} <code title={policy_sha256}>{policy_sha256.slice(0, 12)}</code> · <Visible text={engine.split(' sha256:')[0] ?? engine} />
      </p>
    </section>
  );
}

function StageRow({ stage, review }: { stage: Stage; review: Review }) {
  const { me } = useSession();
  const state = review.view.stages.find(({ id }) => id === stage.id);
  const given = state?.approved_by.length ?? 0;
  const eligible = state?.eligible ?? [];
  const mine = eligible.some(({ person }) => person === me.person);
  return (
    <li className={styles.stage} data-filled={state?.filled ?? false}>
      <strong>
        <Visible text={stage.id} />
      </strong>
      <span className={styles.seats}>{state?.filled ? text.complete : text.seats(given, stage.quorum)}</span>
      {mine && !state?.filled && <span className={styles.mine}>{text.yours}</span>}
      <span className={styles.quiet}>
        {text.from} {selectorText(stage.from)}
        {stage.after.length > 0 && `, ${text.after(stage.after.join(', '))}`}
        {given > 0 && (
          <>
            {' · '}
            {text.approvedBy} <People list={state?.approved_by ?? []} />
          </>
        )}
        {!state?.filled && (
          <>
            {' · '}
            {text.mayApprove} {eligible.length === 0 ? text.nobody : <People list={eligible} />}
          </>
        )}
      </span>
    </li>
  );
}

const FEW = 6;

function People({ list }: { list: Review['view']['decisions'][number]['person'][] }) {
  return (
    <>
      {list.slice(0, FEW).map((one, position) => (
        <span key={one.person}>
          {position > 0 && ', '}
          <Person person={one} />
        </span>
      ))}
      {list.length > FEW && ` + ${common.people(list.length - FEW)}`}
    </>
  );
}
