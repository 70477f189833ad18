import { Link } from '@tanstack/react-router';
import styles from '../features/admin/admin.module.css';
import { Facts } from '../features/admin/act-facts';
import type { Wish } from '../features/admin/act-document';
import { useFollowPeople } from '../features/admin/queries';
import { useActDialog } from '../features/admin/use-act-dialog';
import { Passkeys } from '../features/me/passkeys';
import { Sessions } from '../features/me/sessions';
import { useSession } from '../session/session';
import { Appearance, SingleKeys } from '../shell/preference-fields';
import { Page } from '../shell/page';
import { me as texts } from '../strings/me';
import { Button } from '../ui/button';
import { fingerprintOf } from '../ui/format';
import { Literal } from '../ui/literal';
import { Notice } from '../ui/notice';
import { Person } from '../ui/person';
import { Moment, Remaining } from '../ui/time';

/** Who is signed in here, with which passkeys, and where else. */
export function Me() {
  useFollowPeople();
  const { begin, dialog } = useActDialog();
  return (
    <Page title={texts.title}>
      <Recovery begin={begin} />
      <Who />
      <Passkeys begin={begin} />
      <Sessions />
      <section className={styles.block}>
        <h2>{texts.appearance}</h2>
        <Appearance />
        <SingleKeys />
      </section>
      {dialog}
    </Page>
  );
}

function Who() {
  const { me } = useSession();
  const attributes = Object.entries(me.attributes).map(([name, value]) => `${name} = ${value}`);
  return (
    <section className={styles.block}>
      <h2>
        <Person person={me} />
      </h2>
      <Facts
        rows={[
          [texts.id, <code key="id">{me.person}</code>],
          [texts.roles, me.roles.length > 0 ? <Literal key="roles" text={me.roles.join(', ')} /> : texts.noRoles],
          ...(attributes.length > 0 ? [[texts.attributes, <Literal key="attributes" text={attributes.join(', ')} />] satisfies [string, React.ReactNode]] : []),
          [
            texts.sessionEnds,
            <span key="ends">
              <Moment value={me.expires_at} /> (<Remaining until={me.expires_at} />)
            </span>,
          ],
        ]}
      />
      <p className={styles.quiet}>
        <Link to="/audit" search={{ stream: `identity/${me.person}` }}>
          {texts.seeLog}
        </Link>
      </p>
    </section>
  );
}

/** A running recovery: whoever still has a passkey from before can stop it here. */
function Recovery({ begin }: { begin: (wish: Wish) => void }) {
  const { me } = useSession();
  const text = texts.recovery;
  const { recovery } = me;
  if (!recovery) return null;
  return (
    <Notice tone="bad" title={text.title}>
      <p>
        {text.counts} <Moment value={recovery.counts_from} /> (<Remaining until={recovery.counts_from} />). {text.until}
      </p>
      <p>
        {text.lost}: <code>{recovery.lost.map(({ credential_id_sha256 }) => fingerprintOf(credential_id_sha256)).join(', ') || '–'}</code>
      </p>
      <p>{text.notYou}</p>
      <p>
        <Button
          kind="danger"
          onPress={() => begin({ act: 'recovery.cancelled', body: { person: me.person, credential_id: recovery.credential_id } })}
        >
          {text.stop}
        </Button>
      </p>
    </Notice>
  );
}

