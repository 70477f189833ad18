import type { ReactNode } from 'react';
import { verify as text } from '../../strings/verify';
import { Visible } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Moment } from '../../ui/time';
import { withoutUnreached, type Check } from '../../verify/checks';
import { takesBack } from '../../verify/later';
import { written } from '../../verify/moment';
import type { Story } from '../../verify/story';
import type { Verification } from '../../verify/verify';
import { Later } from './later';
import styles from './verify.module.css';

/** What verification found: the outcome, what came after, what it is about, each check by name, and what is not proved. */
export function Report({ verification, leaves }: { verification: Verification; /** Of the newer log. */ leaves: number }) {
  const { story, passed, checks, notProved } = verification;
  return (
    <div className={styles.report}>
      <Outcome verification={verification} />
      <Later verification={verification} leaves={leaves} />
      {story.document !== undefined && (
        <section className={styles.card}>
          <h2>{passed ? text.about : text.aboutUnproved}</h2>
          <Facts story={story} />
        </section>
      )}
      <section className={styles.card}>
        <h2>{text.checks}</h2>
        <ul className={styles.checks}>
          {checks.map((check) => (
            <CheckRow key={check.name} check={check} />
          ))}
        </ul>
      </section>
      <section className={styles.card}>
        <h2>{text.notProved}</h2>
        <p className={styles.quiet}>{text.notProvedHint}</p>
        <ul className={styles.unproved}>
          {withoutUnreached(notProved).map((line) => (
            <li key={line}>
              <Visible text={line} />
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

function Outcome({ verification: { passed, failed, checks, later } }: { verification: Verification }) {
  const named = (state: Check['outcome']['state']) => checks.filter(({ outcome }) => outcome.state === state).map(({ name }) => name);
  const unchecked = named('not checked here');
  return (
    <Notice tone={passed ? 'good' : 'bad'} title={passed ? text.passed : text.failed} alert>
      <p>{passed ? text.passedText(named('pass').length) : text.failedText(failed.join(', '))}</p>
      {later.some(takesBack) && <p>{text.laterText}</p>}
      {unchecked.length > 0 && <p>{text.uncheckedText(unchecked.join(', '))}</p>}
    </Notice>
  );
}

function Facts({ story }: { story: Story }) {
  const { document, grant, risk } = story;
  const facts: [string, ReactNode][] = [
    [text.facts.state, story.state?.replaceAll('_', ' ')],
    [text.facts.asked, story.title ?? document?.entitlement.name],
    [text.facts.by, <Visible key="by" text={story.nameOf(document?.requester ?? '')} />],
    ...Object.entries(document?.parameters ?? {}).map(([name, value]): [string, ReactNode] => [name, <Visible key={name} text={String(value)} />]),
    [text.facts.reason, <Visible key="reason" text={story.justification ?? text.withheld} multiline />],
    [text.facts.ticket, <Visible key="ticket" text={document?.ticket ?? text.none} />],
    [text.facts.risk, risk === undefined ? text.notJudged : text.riskOf(risk.score, risk.tier)],
    ...story.decisions.map(({ index, person, decision, at }): [string, ReactNode] => [
      decision.replaceAll('_', ' '),
      <span key={index}>
        <Visible text={story.nameOf(person)} /> <Moment value={written(at)} />
      </span>,
    ]),
    [text.facts.grant, grant === undefined ? text.neverStarted : <Span key="grant" from={grant.startedAt} to={grant.endsAt} />],
    [text.facts.digest, <code key="digest">{story.requestSha256}</code>],
  ];
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value], place) => (
        <div key={`${name}${String(place)}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Span({ from, to }: { from: number; to: number }) {
  return (
    <>
      <Moment value={written(from)} /> {text.until} <Moment value={written(to)} />
    </>
  );
}

function CheckRow({ check: { name, proves, outcome } }: { check: Check }) {
  return (
    <li data-state={outcome.state} data-check={name}>
      <span className={styles.state}>{text.states[outcome.state]}</span>
      <code>{name}</code>
      <span className={styles.quiet}>{proves}</span>
      {outcome.state === 'fail' && (
        <ul className={styles.problems}>
          {outcome.problems.map((problem) => (
            <li key={problem}>
              <Visible text={problem} />
            </li>
          ))}
        </ul>
      )}
      {'reason' in outcome && <span className={styles.why}>{outcome.reason}</span>}
    </li>
  );
}
