/** The parts of the decision screen that only show. Everything stands in the signed request document or verdict. */
import type { ReactNode } from 'react';
import { decision as texts } from '../../strings/decision';
import { isObject, type Json } from '../../verify/canonical';
import { duration } from '../../ui/format';
import { Literal, Prose, Visible } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Person } from '../../ui/person';
import { Moment, Remaining } from '../../ui/time';
import { parameterNames, reachOf, titleOf } from './entitlement';
import type { Review } from './review';
import { subjectOf, valueText } from './sentence';
import { differences } from './unusual';
import styles from './decision.module.css';

/** State, approvals so far, time left. */
export function Status({ review }: { review: Review }) {
  const { view, verdict } = review;
  const until = { pending: view.clocks.lapses_at, approved: view.clocks.starts_by, active: view.clocks.ends_at }[view.state];
  const needed = verdict.content.stages.reduce((sum, { quorum }) => sum + quorum, 0);
  const given = view.stages.reduce((sum, { approved_by, quorum }) => sum + Math.min(approved_by.length, quorum), 0);
  const missing = view.stages.filter(({ filled }) => !filled).map(({ id }) => id);
  return (
    <p className={styles.status}>
      <strong data-state={view.state}>{texts.states[view.state] ?? view.state}</strong>
      {needed > 0 && <span>{texts.approvals(given, needed)}</span>}
      {view.state === 'pending' && missing.length > 0 && <span>{texts.stillNeeded(missing.join(', '))}</span>}
      {until && (
        <span className={styles.timeLeft}>
          <Remaining until={until} />
        </span>
      )}
    </p>
  );
}

/** Who asks to do what, to what, for how long. */
export function Sentence({ review }: { review: Review }) {
  const { request, verdict, view, entitlement } = review;
  const { content } = request;
  const subject = subjectOf(content.parameters, entitlement);
  const denied = verdict.content.verdict === 'deny';
  const text = texts.sentence;
  return (
    <h1 className={styles.sentence}>
      <Person person={view.requester} /> {text.asks}{' '}
      <strong>
        <Visible text={titleOf(entitlement) ?? content.entitlement.name} />
      </strong>
      {subject !== '' && (
        <>
          {' '}
          {text.on}{' '}
          <strong>
            <Visible text={subject} />
          </strong>
        </>
      )}
      {content.beneficiary.person !== content.requester && (
        <>
          {' '}
          {text.for} <Person person={view.beneficiary} />
        </>
      )}{' '}
      {denied ? text.denied : text.atMost} <strong>{duration(denied ? content.clocks.grant_seconds : verdict.content.constraints.grant_seconds)}</strong>
      {content.clocks.not_before !== undefined && (
        <>
          {', '}
          {text.notBefore} <Moment value={content.clocks.not_before} />
        </>
      )}
    </h1>
  );
}

/** Score, and the weighted factors that sum to it: the heaviest first, what lowers it last. */
export function Risk({ review }: { review: Review }) {
  const { risk, reasons } = review.verdict.content;
  const factors = [...risk.factors].sort((left, right) => right.points - left.points);
  const sum = factors.reduce((total, { points }) => total + points, 0);
  const text = texts.risk;
  return (
    <section className={styles.risk} data-tier={risk.tier} aria-labelledby="risk">
      <h2 id="risk">{text.title}</h2>
      <p className={styles.score}>
        <strong>{risk.score}</strong> <span>{text.of}</span> <em>{text.tiers[risk.tier] ?? risk.tier}</em>
      </p>
      <div className={styles.gauge} aria-hidden>
        <span style={{ inlineSize: `${risk.score}%` }} />
      </div>
      {factors.length === 0 ? (
        <p className={styles.quiet}>{text.none}</p>
      ) : (
        <ul className={styles.factors}>
          {factors.map(({ factor, points, detail }) => (
            <li key={factor} data-reduces={points < 0}>
              <span className={styles.points}>{points > 0 ? `+${points}` : `−${Math.abs(points)}`}</span>
              <span title={factor}>
                <Visible text={detail} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {sum !== risk.score && <p className={styles.quiet}>{text.capped(sum)}</p>}
      {reasons.map(({ rule, message, remedy }) => (
        <p key={rule + message} className={styles.quiet}>
          <Visible text={`${message} ${remedy}`} /> <code>{rule}</code>
        </p>
      ))}
    </section>
  );
}

export function Unusual({ review }: { review: Review }) {
  const found = differences(review.input, subjectOf(review.request.content.parameters, review.entitlement));
  const text = texts.unusual;
  return (
    <section aria-labelledby="unusual">
      <h2 id="unusual">{text.title}</h2>
      {found.length === 0 && <p className={styles.quiet}>{text.none}</p>}
      {found.length > 0 && (
        <ul className={styles.bullets}>
          {found.map((one) => (
            <li key={one}>
              <Visible text={one} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What it reaches by the signed verdict, and what takes it back. */
export function Blast({ review }: { review: Review }) {
  const { request, verdict, entitlement } = review;
  const reaches = verdict.content.risk.factors.filter(({ factor }) => factor.startsWith('blast_radius.')).map(({ detail }) => detail);
  const said = reachOf(entitlement, request.content.parameters);
  const text = texts.blast;
  const { undo } = request.content;
  return (
    <section aria-labelledby="blast">
      <h2 id="blast">{text.title}</h2>
      <ul className={styles.bullets}>
        {[...reaches, ...said].map((one) => (
          <li key={one}>
            <Visible text={one} />
          </li>
        ))}
        {Object.entries(verdict.content.constraints.scopes).map(([name, values]) => (
          <li key={name}>
            {text.limit(name)}: <Literal text={values.join(', ')} />
          </li>
        ))}
        <li>
          {undo.length > 0 ? (
            <>
              {text.undo} <Literal text={undo.join(', ')} />
            </>
          ) : (
            text.undoNone
          )}
        </li>
      </ul>
    </section>
  );
}

/** The requester's own words, late on purpose. */
export function Reason({ review }: { review: Review }) {
  const { disclosed, request } = review;
  const text = texts.reason;
  return (
    <section aria-labelledby="reason-heading">
      <h2 id="reason-heading">{text.title}</h2>
      {[...disclosed.values].map(([name, value]) => (
        <blockquote key={name} className={styles.words}>
          {name !== 'justification' && `${name}: `}
          <Prose text={valueText(value)} />
        </blockquote>
      ))}
      {disclosed.values.size + disclosed.concealed === 0 && <p className={styles.quiet}>{text.none}</p>}
      {disclosed.concealed > 0 && <Notice tone="warn">{text.concealed}</Notice>}
      <p className={styles.quiet}>
        {text.ticket}: {request.content.ticket === undefined ? text.noTicket : <Literal text={request.content.ticket} />} · {text.note}
      </p>
    </section>
  );
}

/** The parameters, exactly as they are signed. */
export function Parameters({ review }: { review: Review }) {
  const { content } = review.request;
  const text = texts.parameters;
  return (
    <dl className={styles.pairs}>
      {parameterNames(content.parameters, review.entitlement).map((name) => (
        <Pair key={name} name={<Visible text={name} />}>
          <Literal text={valueText(content.parameters[name] ?? null) || text.empty} multiline />
        </Pair>
      ))}
      <Pair name={text.asked}>
        {duration(content.clocks.grant_seconds)}, <Moment value={content.created_at} />
      </Pair>
      {content.beneficiary.public_key !== undefined && (
        <Pair name={text.boundKey}>
          <Literal text={content.beneficiary.public_key} />
        </Pair>
      )}
    </dl>
  );
}

export function Pair({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Who may sit where, by the words of the signed verdict. */
export function selectorText(from: Json): string {
  const text = texts.selector;
  if (!isObject(from)) return JSON.stringify(from);
  const [entry] = Object.entries(from);
  if (!entry) return text.nobody;
  const [kind, value] = entry;
  const joined = (word: string) => (Array.isArray(value) && value.length > 0 ? value.map(selectorText).join(` ${word} `) : text.nobody);
  switch (kind) {
    case 'all':
      return joined(text.and);
    case 'any':
      return joined(text.or);
    case 'not':
      return `${text.not} ${selectorText(value)}`;
    case 'role':
      return text.role(valueText(value));
    case 'group':
      return text.group(valueText(value));
    case 'manager_of':
      return text.manager(valueText(value));
    case 'attribute':
      return isObject(value) ? Object.entries(value).map(([name, held]) => `${name} = ${valueText(held)}`).join(` ${text.and} `) : valueText(value);
    default:
      return valueText(value);
  }
}
