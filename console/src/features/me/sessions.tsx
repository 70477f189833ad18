import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answered, api, type Schema } from '../../client/client';
import { signOut } from '../../session/sign-in';
import { me as texts } from '../../strings/me';
import { Button } from '../../ui/button';
import { fingerprintOf } from '../../ui/format';
import { Problem } from '../../ui/problem';
import { Loading } from '../../ui/states';
import { Moment } from '../../ui/time';
import styles from '../admin/admin.module.css';

const sessionsQuery = queryOptions({ queryKey: ['sessions'], queryFn: () => answered(api.GET('/api/v1/sessions')) });

/** Where this person is signed in. */
export function Sessions() {
  const text = texts.sessions;
  const sessions = useQuery(sessionsQuery);
  return (
    <section className={styles.block}>
      <h2>{text.title}</h2>
      <p className={styles.quiet}>{text.hint}</p>
      {sessions.isError && <Problem fault={sessions.error} retry={() => void sessions.refetch()} />}
      {sessions.isPending && <Loading />}
      {sessions.data && (
        <ul className={styles.rows} aria-label={text.title}>
          {sessions.data.items.map((session) => (
            <li key={session.id}>
              <Row session={session} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ session }: { session: Schema<'SessionView'> }) {
  const text = texts.sessions;
  const queries = useQueryClient();
  const kind = text.kinds[session.session] ?? session.session;
  const end = useMutation({
    mutationFn: async () => {
      if (session.current) await signOut();
      else await answered(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id: session.id } } }));
    },
    onSuccess: () => (session.current ? queries.resetQueries() : queries.invalidateQueries({ queryKey: sessionsQuery.queryKey })),
  });
  return (
    <>
      <div className={styles.row}>
        <span className={styles.rowMain}>
          <span>
            <strong>{kind}</strong> {session.current && <span className={styles.chip}>{text.current}</span>}
          </span>
          <span className={styles.quiet}>
            {session.started_at && (
              <>
                {text.since} <Moment value={session.started_at} />{' '}
              </>
            )}
            {text.until} <Moment value={session.expires_at} /> · {text.by} <code>{fingerprintOf(session.credential_id_sha256)}</code>
          </span>
        </span>
        <Button
          kind="quiet"
          busy={end.isPending}
          label={session.current ? text.signOut : text.endOne(kind, session.started_at ?? session.expires_at)}
          onPress={() => end.mutate()}
        >
          {session.current ? text.signOut : text.end}
        </Button>
      </div>
      {end.isError && <Problem fault={end.error} />}
    </>
  );
}
