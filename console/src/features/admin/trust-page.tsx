import { skipToken, useQuery } from '@tanstack/react-query';
import type { Schema } from '../../client/client';
import { useSession } from '../../session/session';
import { admin } from '../../strings/admin';
import { duration } from '../../ui/format';
import { Literal } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import { Loading } from '../../ui/states';
import { Moment, Relative, usePast } from '../../ui/time';
import { written } from '../../verify/moment';
import type { TrustRoot } from '../../verify/trust';
import { Facts, type Row } from './act-facts';
import { LogStatus } from './log-status';
import { PersonById } from './person-by-id';
import { PolicyStatus } from './policy-status';
import { trustQuery } from './queries';
import { readTrustView, type NamedKey, type TrustFacts } from './trust';
import styles from './admin.module.css';

/** What everything here is believed on, and how the log stands. */
export function TrustPage() {
  return (
    <>
      <Trust />
      <LogStatus />
      <PolicyStatus />
      <Honest />
    </>
  );
}

/** The trust root as the server gives it, and what was read from its text here. */
function useTrust() {
  const { server } = useSession();
  const trust = useQuery({ ...trustQuery, enabled: server.sealed });
  const { data } = trust;
  const facts = useQuery({
    queryKey: ['trust-facts', data?.sha256, server.log_vkey],
    queryFn: data ? () => readTrustView(data, server) : skipToken,
    retry: false,
  });
  return { trust, facts };
}

function Trust() {
  const text = admin.trust;
  const { server } = useSession();
  const { trust, facts } = useTrust();
  return (
    <section className={styles.block}>
      <h2>{text.title}</h2>
      {!server.sealed && (
        <Notice tone="warn" title={text.notSealed[0]}>
          <p>{text.notSealed[1]}</p>
        </Notice>
      )}
      {trust.isError && <Problem fault={trust.error} retry={() => void trust.refetch()} />}
      {server.sealed && trust.isPending && <Loading />}
      {facts.isError && <Notice tone="bad" title={text.unreadable(facts.error.message)} />}
      {trust.data && facts.data && <Root view={trust.data} facts={facts.data} />}
    </section>
  );
}

function Root({ view, facts }: { view: Schema<'TrustView'>; facts: TrustFacts }) {
  const text = admin.trust;
  const over = usePast(view.expires_at);
  const { document, sha256 } = facts.root;
  return (
    <>
      <p className={styles.quiet}>{text.honest}</p>
      {!facts.digestHolds && <Notice tone="bad" title={text.digestDiffers} />}
      {!facts.logKeyHolds && <Notice tone="bad" title={text.logKeyDiffers} />}
      {over && <Notice tone="bad" title={text.expired} />}
      <Facts
        rows={[
          [text.version, document.version],
          [text.digest, <code key="digest">{sha256}</code>],
          ...successionOf(facts.root),
          [text.created, <Moment key="created" value={written(document.created_at)} />],
          [
            text.expires,
            <span key="expires">
              <Moment value={view.expires_at} /> (<Relative value={view.expires_at} />)
            </span>,
          ],
          [text.sealedWith, document.sealed_with],
          [text.administrators, document.administrators_needed],
          [text.owners, document.policy.owners_needed],
          [text.recovery, text.recoveryOf(document.recovery.threshold, document.recovery.keys.length)],
          [text.roots, text.rootsOf(document.attestation_roots.length)],
          [text.engines, document.engines.join(', ')],
          [text.genesis, <People key="people" people={document.genesis.persons} />],
        ]}
      />
      <Floors facts={facts} />
      <Keys keys={facts.keys} />
      <details className={styles.source}>
        <summary>{text.text}</summary>
        <pre tabIndex={0} aria-label={text.text}>
          <Literal text={view.text} multiline />
        </pre>
      </details>
    </>
  );
}

/** What a later version follows, who signs the one after it, and which lives of the log are over. */
function successionOf({ document: { previous_sha256, administrators, logs } }: TrustRoot): Row[] {
  const text = admin.trust;
  const follows: Row[] = [
    [text.follows, <code key="follows">{previous_sha256}</code>],
    [text.mayFollow, <People key="administrators" people={administrators} />],
  ];
  const ended = logs.flatMap(({ origin, closed }): Row[] => (closed === undefined ? [] : [[text.closed(origin), text.closedAt(closed.size)]]));
  return [...(previous_sha256 === undefined ? [] : follows), ...ended];
}

function People({ people }: { people: readonly { id: string; roles?: ReadonlySet<string> }[] }) {
  return (
    <ul>
      {people.map(({ id, roles }) => (
        <li key={id}>
          <PersonById id={id} withId />
          {roles !== undefined && ` · ${[...roles].join(', ')}`}
        </li>
      ))}
    </ul>
  );
}

function Floors({ facts }: { facts: TrustFacts }) {
  const text = admin.trust;
  const floors = [...facts.root.document.floors];
  return (
    <>
      <h3>{text.floors}</h3>
      <p className={styles.quiet}>{floors.length > 0 ? text.floorsHint : text.noFloors}</p>
      {floors.length > 0 && (
        <div className={styles.scroll} tabIndex={0} role="region" aria-label={text.floors}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{text.entitlement}</th>
                <th scope="col">{text.approvers}</th>
                <th scope="col">{text.longest}</th>
                <th scope="col">{text.without}</th>
              </tr>
            </thead>
            <tbody>
              {floors.map(([name, floor]) => (
                <tr key={name}>
                  <th scope="row">
                    <Literal text={name} />
                  </th>
                  <td>{floor.minimum_approvers}</td>
                  <td>{duration(floor.maximum_seconds)}</td>
                  <td>{exceptions(floor)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

type Floor = Parameters<TrustFacts['root']['document']['floors']['set']>[1];

/** Ways around the approvers that the floor leaves open. */
function exceptions(floor: Floor): string {
  const text = admin.trust;
  const open = [floor.allow && text.allow, floor.break_glass && text.breakGlass, floor.override_denied && text.override, floor.oidc && text.oidc];
  return open.filter(Boolean).join(', ') || admin.none;
}

function Keys({ keys }: { keys: readonly NamedKey[] }) {
  const text = admin.trust;
  const words = ({ use, name }: NamedKey) =>
    ({ log: `${text.logKey} ${name}`, attestation: text.attestationKey(name), issuer: text.issuerKey, recovery: text.recoveryKey })[use];
  return (
    <>
      <h3>{text.keys}</h3>
      <p className={styles.quiet}>{text.keysHint}</p>
      <Facts rows={keys.map((key) => [words(key), <code key={key.fingerprint}>{key.fingerprint}</code>])} />
    </>
  );
}

function Honest() {
  const text = admin.honest;
  const unwitnessed = useTrust().facts.data?.root.witnessPolicy.quorum === 'none';
  return (
    <section className={styles.block}>
      <h2>{text.title}</h2>
      <ul className={styles.notes}>
        {text.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
        {unwitnessed && <li>{text.noWitness}</li>}
        <li>{text.verify}</li>
      </ul>
    </section>
  );
}

