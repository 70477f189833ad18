import { decision as decisions } from '../../strings/decision';
import { request as texts } from '../../strings/request';
import { Prose, Visible } from '../../ui/literal';
import { Person } from '../../ui/person';
import { Moment, Relative } from '../../ui/time';
import { LeafLink } from './leaf-link';
import type { LoadedRequest } from './load';
import { timelineOf, type Happened } from './timeline';
import styles from './request.module.css';

const text = texts.timeline;

/** Everything that happened, with its place in the log. */
export function Timeline({ loaded }: { loaded: LoadedRequest }) {
  return (
    <ol className={styles.timeline} aria-label={text.title}>
      {timelineOf(loaded.view).map((one) => (
        <Entry key={one.key} one={one} />
      ))}
    </ol>
  );
}

// The title says all that the server's words would.
const PLAIN = ['request.submitted', 'request.approved', 'request.cancelled', 'request.lapsed', 'request.rejected', 'grant.ended', 'grant.revoked', 'grant.expired'];

function Entry({ one }: { one: Happened }) {
  const { kind, person, decision, leaf, attestation, time, tone, summary } = one;
  const title = decision ? `${text.kinds[kind] ?? kind}: ${decisions.kinds[decision.decision] ?? decision.decision}` : (text.kinds[kind] ?? kind);
  return (
    <li className={styles.entry} data-tone={decision?.decision === 'reject' ? 'bad' : tone} data-logged={leaf !== undefined}>
      <p className={styles.entryHead}>
        <strong>{title}</strong>
        {person && (
          <span>
            {text.by} <Person person={person} />
          </span>
        )}
        {decision?.suspicious === true && <span className={styles.bad}>{text.suspicious}</span>}
      </p>
      {decision === undefined && !PLAIN.includes(kind) && summary !== '' && (
        <p className={styles.quiet}>
          <Visible text={summary} />
        </p>
      )}
      {decision?.reason && (
        <blockquote className={styles.words}>
          <Prose text={decision.reason} />
        </blockquote>
      )}
      <p className={styles.entryFoot}>
        <Moment value={time} />
        <span>
          <Relative value={time} />
        </span>
        {leaf === undefined ? (
          <span title={text.notLoggedHint}>{text.notLogged}</span>
        ) : (
          <>
            <LeafLink leaf={leaf}>{text.leaf(leaf)}</LeafLink>
            {attestation !== undefined && <span>{text.attestation(attestation)}</span>}
          </>
        )}
      </p>
    </li>
  );
}
