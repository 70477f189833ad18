import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Fragment, useRef } from 'react';
import type { Schema } from '../../client/client';
import { useSession } from '../../session/session';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { Prose } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import { Loading } from '../../ui/states';
import { Remaining } from '../../ui/time';
import { ActDialog } from './act-dialog';
import type { ActKind, Wish } from './act-document';
import { useWhyNotAdministrator } from './may';
import { PersonById } from './person-by-id';
import { enrolmentsQuery, waitingActsQuery } from './queries';
import { useActDialog } from './use-act-dialog';
import styles from './admin.module.css';

/** Keys and acts that wait for somebody's signature. */
export function WaitingPage() {
  const text = admin.waiting;
  const enrolments = useQuery(enrolmentsQuery);
  const acts = useQuery(waitingActsQuery);
  const failed = [enrolments, acts].find(({ isError }) => isError);
  if (failed) return <Problem fault={failed.error} retry={() => void Promise.all([enrolments.refetch(), acts.refetch()])} />;
  if (!enrolments.data || !acts.data) return <Loading />;
  return (
    <>
      <section className={styles.block}>
        <h2>{text.enrolments}</h2>
        <Enrolments items={notBegun(enrolments.data.items, acts.data.items)} />
      </section>
      <section className={styles.block}>
        <h2>{text.acts}</h2>
        <Acts items={acts.data.items} />
      </section>
    </>
  );
}

/** Two lists share the screen: one of them being empty takes a line. */
function Nothing({ says: [title, hint] }: { says: readonly [string, string] }) {
  return (
    <p className={styles.nothing}>
      <strong>{title}.</strong> {hint}
    </p>
  );
}

/** Keys under which nobody signed yet; the others stand among the acts. */
function notBegun(enrolments: readonly Schema<'WaitingEnrolment'>[], acts: readonly Schema<'WaitingAct'>[]): Schema<'WaitingEnrolment'>[] {
  const begun = new Set(acts.map(({ act, person }) => `${act} ${person}`));
  return enrolments.filter(({ act, person }) => !begun.has(`${act} ${person}`));
}

function Enrolments({ items }: { items: readonly Schema<'WaitingEnrolment'>[] }) {
  const { begin, dialog } = useActDialog();
  return (
    <>
      {items.length === 0 ? <Nothing says={admin.waiting.enrolmentsEmpty} /> : <EnrolmentRows items={items} onReview={(item) => begin(wishFor(item))} />}
      {/* It stays when what was signed no longer waits here, so that its outcome is seen. */}
      {dialog}
    </>
  );
}

interface EnrolmentRowsProps {
  items: readonly Schema<'WaitingEnrolment'>[];
  onReview: (item: Schema<'WaitingEnrolment'>) => void;
}

function EnrolmentRows({ items, onReview }: EnrolmentRowsProps) {
  const text = admin.waiting;
  const { me } = useSession();
  const why = useWhyNotAdministrator();
  return (
    <>
      <p className={styles.quiet}>{text.enrolmentsHint}</p>
      <ul className={styles.rows} aria-label={text.enrolments}>
        {items.map((item) => (
          <li key={item.enrolment} className={styles.row}>
            <span className={styles.rowMain}>
              <span>
                <strong>
                  <Prose text={item.name || item.person} />
                </strong>{' '}
                <span className={styles.quiet}>{noteOn(item)}</span>
              </span>
              <span className={styles.quiet}>
                {admin.acts[item.act as ActKind] ?? item.act} · <Remaining until={item.expires_at} />
                {item.invited_by && (
                  <>
                    {' · '}
                    {text.invitedBy} <PersonById id={item.invited_by} />
                  </>
                )}
              </span>
            </span>
            <Button why={item.person === me.person ? undefined : why} onPress={() => onReview(item)}>
              {text.review}
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

function noteOn({ act, roles }: Schema<'WaitingEnrolment'>): string {
  if (act === 'person.recovered') return admin.waiting.lostAll;
  if (act === 'person.created') return `${admin.waiting.wroteName} · ${roles.join(', ') || admin.people.noRoles}`;
  return '';
}

/** The act that settles a key that waits. */
export function wishFor({ act, enrolment, person, passkey }: Schema<'WaitingEnrolment'>): Wish {
  return { act: act as ActKind, body: { enrolment }, key: { person, credentialId: passkey.credential_id } };
}

function Acts({ items }: { items: readonly Schema<'WaitingAct'>[] }) {
  const text = admin.waiting;
  const navigate = useNavigate();
  const { act: wanted } = useSearch({ from: '/admin/waiting' });
  const chosen = useKept(items.find(({ document_sha256 }) => document_sha256 === wanted), wanted);
  const open = (act: string | undefined) => void navigate({ to: '/admin/waiting', search: { act } });
  return (
    <>
      {wanted !== undefined && !chosen && <Notice tone="plain" title={text.gone} />}
      {items.length === 0 && <Nothing says={text.actsEmpty} />}
      {items.length > 0 && (
        <ul className={styles.rows} aria-label={text.acts}>
          {items.map((item) => (
            <li key={item.document_sha256} className={styles.row}>
              <ActLine item={item} />
              <Button onPress={() => open(item.document_sha256)}>{item.public_key ? text.open : text.look}</Button>
            </li>
          ))}
        </ul>
      )}
      {chosen && <ActDialog key={chosen.document_sha256} subject={{ waiting: chosen }} onClose={() => open(undefined)} />}
    </>
  );
}

/** What was opened stays open when it no longer waits, so that its outcome is seen. */
function useKept(found: Schema<'WaitingAct'> | undefined, wanted: string | undefined): Schema<'WaitingAct'> | undefined {
  const kept = useRef(found);
  if (found) kept.current = found;
  return kept.current?.document_sha256 === wanted ? kept.current : undefined;
}

function ActLine({ item }: { item: Schema<'WaitingAct'> }) {
  const { me } = useSession();
  const text = admin.waiting;
  return (
    <span className={styles.rowMain}>
      <span>
        <strong>{admin.acts[item.act as ActKind] ?? item.act}</strong> · <PersonById id={item.person} withId />
      </span>
      <span className={styles.quiet}>
        {text.signedOf(item.signed_by.length, item.needed)}
        {item.signed_by.map((id) => (
          <Fragment key={id}>
            {' · '}
            {id === me.person ? text.signedByYou : <PersonById id={id} />}
          </Fragment>
        ))}
        {' · '}
        <Remaining until={item.expires_at} />
      </span>
    </span>
  );
}
