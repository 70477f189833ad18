import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { entitlementsQuery } from '../../client/queries';
import { useSession } from '../../session/session';
import { decision as decisions } from '../../strings/decision';
import { request as texts } from '../../strings/request';
import { waitCommand } from '../new-request/command';
import { subjectOf, valueText } from '../decision/sentence';
import type { RequestContent } from '../documents/request';
import type { JsonObject } from '../../verify/canonical';
import { Command } from '../../ui/copy';
import { byteSize, duration } from '../../ui/format';
import { Literal, Prose, Visible } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Person } from '../../ui/person';
import { Moment, Remaining } from '../../ui/time';
import type { LoadedRequest } from './load';
import styles from './request.module.css';

/** What is asked, in a line: the entitlement's title while the active bundle has what was signed, and the main parameters. */
export function useTitleOf(content: RequestContent | undefined): string {
  const entitlements = useQuery(entitlementsQuery);
  if (!content) return '';
  const { name, sha256 } = content.entitlement;
  const found = entitlements.data?.items.find((one) => one.name === name && one.sha256 === sha256);
  const subject = subjectOf(content.parameters, found?.data as JsonObject | undefined);
  return subject === '' ? (found?.title ?? name) : `${found?.title ?? name}: ${subject}`;
}

/** State, clock and the numbers that name it. */
export function Status({ loaded: { view, request, verdict } }: { loaded: LoadedRequest }) {
  const until = { pending: view.clocks.lapses_at, approved: view.clocks.starts_by, active: view.clocks.ends_at }[view.state];
  const { grant_seconds: longest } = verdict.content.constraints;
  return (
    <p className={styles.status}>
      <strong data-state={view.state}>{decisions.states[view.state] ?? view.state}</strong>
      {until && (
        <span>
          {texts.clocks[view.state]} <Moment value={until} /> · <Remaining until={until} />
        </span>
      )}
      <span>{verdict.content.verdict === 'deny' ? texts.asked(duration(request.content.clocks.grant_seconds)) : texts.granted(duration(longest))}</span>
      <span>
        <code>{view.id}</code>, {texts.revision(view.revision)}
      </span>
      <Link to="/inbox/$id" params={{ id: view.id }}>
        {texts.toDecision}
      </Link>
    </p>
  );
}

/** What the requester has to do meanwhile: pass on the digits, and wait. */
export function Meanwhile({ loaded: { view, request } }: { loaded: LoadedRequest }) {
  const { me } = useSession();
  if (request.content.requester !== me.person) return null;
  const text = texts.waiting;
  const missing = view.stages.filter(({ filled }) => !filled).map(({ id, quorum, approved_by: given }) => texts.waiting.seats(id, given.length, quorum));
  if (view.state === 'approved') {
    return (
      <Notice tone="good" title={texts.approved.title}>
        <p>{texts.approved.text}</p>
        {request.content.beneficiary.public_key !== undefined && (
          <>
            <p>{texts.approved.command}</p>
            <Command text={`chancery grant credential ${view.id}`} label={texts.approved.command} />
          </>
        )}
      </Notice>
    );
  }
  if (view.state !== 'pending') return null;
  return (
    <Notice tone="plain" title={text.title}>
      {missing.length > 0 && <p>{text.still(missing.join(', '))}</p>}
      {view.matching_number && (
        <>
          <p>{text.tell}</p>
          <p className={styles.digitsShown} role="img" aria-label={text.digits(view.matching_number)}>
            {view.matching_number}
          </p>
        </>
      )}
      <p>
        {text.command}: {text.commandHint}
      </p>
      <Command text={waitCommand(view.id)} label={text.command} />
    </Notice>
  );
}

/** What was asked, from the signed document. */
export function Facts({ loaded: { view, request, disclosed } }: { loaded: LoadedRequest }) {
  const { content } = request;
  const text = texts.facts;
  const reason = disclosed.values.get('justification');
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">{text.what}</h2>
      <dl className={styles.pairs}>
        {Object.entries(content.parameters).map(([name, value]) => (
          <Pair key={name} name={name}>
            <Literal text={valueText(value)} multiline />
          </Pair>
        ))}
        {content.beneficiary.person !== content.requester && (
          <Pair name={text.whom}>
            <Person person={view.beneficiary} withId />
          </Pair>
        )}
        {content.clocks.not_before !== undefined && (
          <Pair name={text.start}>
            <Moment value={content.clocks.not_before} />
          </Pair>
        )}
        {content.beneficiary.public_key !== undefined && (
          <Pair name={text.key}>
            <Literal text={content.beneficiary.public_key} />
          </Pair>
        )}
        {content.artifacts.length > 0 && (
          <Pair name={text.files}>
            <ul>
              {content.artifacts.map(({ name, size, sha256 }) => (
                <li key={name}>
                  <Visible text={name} /> <span className={styles.quiet}>{`${byteSize(size)} · ${sha256.slice(0, 12)}${content.undo.includes(name) ? ` · ${text.undo}` : ''}`}</span>
                </li>
              ))}
            </ul>
          </Pair>
        )}
        <Pair name={text.reason}>{typeof reason === 'string' ? <Prose text={reason} /> : disclosed.concealed > 0 ? text.erased : text.none}</Pair>
        <Pair name={text.ticket}>{content.ticket === undefined ? text.none : <Literal text={content.ticket} />}</Pair>
      </dl>
    </section>
  );
}

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>
        <Visible text={name} />
      </dt>
      <dd>{children}</dd>
    </>
  );
}
