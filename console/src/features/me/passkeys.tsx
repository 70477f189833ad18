import { useMutation, useQuery } from '@tanstack/react-query';
import { answered, api } from '../../client/client';
import type { Wish } from '../admin/act-document';
import { PasskeyList } from '../admin/passkey-list';
import { enrolmentsQuery, useRefreshPeople } from '../admin/queries';
import { useSession } from '../../session/session';
import { rememberedPasskey } from '../../session/sign-in';
import { me as texts } from '../../strings/me';
import { Button } from '../../ui/button';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import { AlreadyEnrolled, register } from './registration';
import styles from '../admin/admin.module.css';

/** The passkeys of whoever is signed in. */
export function Passkeys({ begin }: { begin: (wish: Wish) => void }) {
  const text = texts.passkeys;
  const { me } = useSession();
  const why = me.held ? text.held : undefined;
  const beside = ({ credential_id }: { credential_id: string }) =>
    credential_id === rememberedPasskey() && <span className={styles.chip}>{text.usedHere}</span>;
  return (
    <section className={styles.block}>
      <h2>{text.title}</h2>
      {me.passkeys.length === 0 && <p className={styles.quiet}>{text.none}</p>}
      {me.passkeys.length === 1 && !me.recovery && <p>{text.one}</p>}
      <PasskeyList
        passkeys={me.passkeys}
        why={why}
        beside={beside}
        onRemove={(credential_id) => begin({ act: 'passkey.removed', body: { person: me.person, credential_id } })}
      />
      <Waiting begin={begin} />
      <Add begin={begin} why={why} />
    </section>
  );
}

/** Makes a key here, then signs for exactly that key. */
function Add({ begin, why }: { begin: (wish: Wish) => void; why: string | undefined }) {
  const text = texts.passkeys;
  const { me, server } = useSession();
  const refresh = useRefreshPeople();
  const add = useMutation({
    mutationFn: async (): Promise<Wish> => {
      const { public_key } = await answered(api.POST('/api/v1/passkeys/options'));
      const made = await register(public_key, server.rp_id, me.name ?? me.person);
      const { enrolment } = await answered(api.POST('/api/v1/passkeys', { body: { registration: made.registration } }));
      const key = { person: me.person, credentialId: made.credentialId, publicKey: made.publicKey };
      return { act: 'passkey.enrolled', body: { enrolment: enrolment ?? '' }, key };
    },
    onSuccess: begin,
    onSettled: refresh,
  });
  return (
    <>
      {add.isError && (add.error instanceof AlreadyEnrolled ? <Notice tone="warn" title={text.already} alert /> : <Problem fault={add.error} />)}
      <div className={styles.actions}>
        <Button why={why} busy={add.isPending} onPress={() => add.mutate()}>
          {add.isPending ? text.adding : text.add}
        </Button>
      </div>
      <p className={styles.quiet}>{text.addHint}</p>
    </>
  );
}

/** A key that was made and never signed for. */
function Waiting({ begin }: { begin: (wish: Wish) => void }) {
  const text = texts.passkeys;
  const { me } = useSession();
  const { data } = useQuery(enrolmentsQuery);
  const own = data?.items.filter(({ act, person }) => act === 'passkey.enrolled' && person === me.person) ?? [];
  return own.map(({ enrolment, passkey }) => (
    <Notice key={enrolment} tone="warn" title={text.waits}>
      <p>{text.waitsHint}</p>
      <p>
        <Button
          onPress={() => begin({ act: 'passkey.enrolled', body: { enrolment }, key: { person: me.person, credentialId: passkey.credential_id } })}
        >
          {text.sign}
        </Button>
      </p>
    </Notice>
  ));
}
