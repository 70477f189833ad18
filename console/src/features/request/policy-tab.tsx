import { decision as decisions } from '../../strings/decision';
import { request as texts } from '../../strings/request';
import { duration } from '../../ui/format';
import { Literal, Visible } from '../../ui/literal';
import { selectorText } from '../decision/parts';
import type { LoadedRequest } from './load';
import { OtherPolicy, RuleSource } from './rule-source';
import styles from './request.module.css';

const text = texts.policy;

/** What policy said, and which rule said it. */
export function PolicyTab({ loaded }: { loaded: LoadedRequest }) {
  const { verdict: outcome, engine, policy_sha256: policy } = loaded.verdict.content;
  return (
    <div className={styles.tab}>
      <p className={styles.outcome}>{text.outcomes[outcome] ?? outcome}</p>
      <OtherPolicy policy={policy} />
      <Reasons loaded={loaded} />
      <Factors loaded={loaded} />
      <Stages loaded={loaded} />
      <Limits loaded={loaded} />
      <dl className={styles.pairs}>
        <dt>{text.bundle}</dt>
        <dd>
          <code>{policy}</code>
        </dd>
        <dt>{text.engine}</dt>
        <dd>
          <Visible text={engine} />
        </dd>
      </dl>
    </div>
  );
}

function Reasons({ loaded }: { loaded: LoadedRequest }) {
  const { reasons, policy_sha256: policy } = loaded.verdict.content;
  return (
    <section aria-labelledby="reasons">
      <h2 id="reasons">{text.reasons}</h2>
      {reasons.length === 0 && <p className={styles.quiet}>{text.noReasons}</p>}
      <ul className={styles.rules}>
        {reasons.map(({ rule, message, remedy }) => (
          <li key={rule + message}>
            <p>
              <Visible text={message} />
            </p>
            {remedy !== '' && (
              <p className={styles.quiet}>
                <Visible text={remedy} />
              </p>
            )}
            <RuleSource part="rule" name={rule} policy={policy} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Factors({ loaded }: { loaded: LoadedRequest }) {
  const { risk, policy_sha256: policy } = loaded.verdict.content;
  const factors = [...risk.factors].sort((left, right) => right.points - left.points);
  return (
    <section aria-labelledby="factors">
      <h2 id="factors">{text.factors}</h2>
      {factors.length === 0 && <p className={styles.quiet}>{text.noFactors}</p>}
      <ul className={styles.rules}>
        {factors.map(({ factor, points, detail }) => (
          <li key={factor}>
            <p>
              <strong className={styles.points}>{points > 0 ? `+${points}` : `−${Math.abs(points)}`}</strong> <Visible text={detail} />
            </p>
            <RuleSource part="factor" name={factor} policy={policy} />
          </li>
        ))}
      </ul>
      <p className={styles.score} data-tier={risk.tier}>
        {text.sum(risk.score, decisions.risk.tiers[risk.tier] ?? risk.tier)}
      </p>
    </section>
  );
}

function Stages({ loaded: { verdict, view } }: { loaded: LoadedRequest }) {
  const { stages, obligations, policy_sha256: policy } = verdict.content;
  return (
    <section aria-labelledby="policy-stages">
      <h2 id="policy-stages">{text.stages}</h2>
      {stages.length === 0 && <p className={styles.quiet}>{text.noStages}</p>}
      <ul className={styles.rules}>
        {stages.map(({ id, quorum, from }) => (
          <li key={id}>
            <p>
              <strong>
                <Visible text={id} />
              </strong>
              : {text.seats(view.stages.find((stage) => stage.id === id)?.approved_by.length ?? 0, quorum)}, {text.from} <Visible text={selectorText(from)} />
            </p>
            <RuleSource part="stage" name={id} policy={policy} />
          </li>
        ))}
        {obligations.map((name) => (
          <li key={name}>
            <p>
              {text.obligations}: <Visible text={name.replaceAll('_', ' ')} />
            </p>
            <RuleSource part="obligation" name={name} policy={policy} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const LIMITS = ['pending_seconds', 'approval_validity_seconds', 'grant_seconds'] as const;

function Limits({ loaded: { verdict } }: { loaded: LoadedRequest }) {
  const { constraints } = verdict.content;
  return (
    <section aria-labelledby="limits">
      <h2 id="limits">{text.limits}</h2>
      <ul className={styles.bullets}>
        {LIMITS.map((name) => (
          <li key={name}>{text.limit[name](duration(constraints[name]))}</li>
        ))}
        {Object.entries(constraints.scopes).map(([name, values]) => (
          <li key={name}>
            <Literal text={text.only(name, values.join(', '))} />
          </li>
        ))}
      </ul>
    </section>
  );
}
