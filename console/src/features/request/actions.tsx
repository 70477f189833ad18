import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { answered, api, type Schema } from '../../client/client';
import { grantQuery, KEYS, requestQuery } from '../../client/queries';
import { useSession } from '../../session/session';
import { request as texts } from '../../strings/request';
import { Button } from '../../ui/button';
import { Notice } from '../../ui/notice';
import { Problem } from '../../ui/problem';
import buttons from '../../ui/ui.module.css';
import { Certificate } from './certificate';
import type { LoadedRequest } from './load';
import styles from './request.module.css';

const text = texts.actions;

/** What is done without a signature of its own. */
type Act = 'cancel' | 'end' | 'credential';

const CONFIRM = { cancel: text.confirmCancel, end: text.confirmEnd, credential: text.confirmCredential };

/** What the reader can do; each says why it cannot be done, in the server's words. */
export function Actions({ loaded }: { loaded: LoadedRequest }) {
  const { view, request } = loaded;
  const { me } = useSession();
  const [asked, setAsked] = useState<Act>();
  const act = useAct(view.id);
  const party = request.content.requester === me.person || request.content.beneficiary.person === me.person;
  const why = (name: string) => saidWhy(view.actions[name]);
  const begin = (name: Act) => {
    act.reset();
    setAsked(name);
  };
  const withKey = request.content.beneficiary.public_key !== undefined;
  const acts = ([['credential', withKey], ['end', true], ['cancel', true]] as const).filter(([name, offered]) => offered && isNear(name, view.state)).map(([name]) => name);
  return (
    <section className={styles.actions} aria-labelledby="actions">
      <h2 id="actions">{text.title}</h2>
      {act.isError && <Problem fault={act.error} />}
      {act.data && <Certificate credential={act.data} />}
      {asked && <Confirm act={asked} onNo={() => setAsked(undefined)} onYes={() => act.mutate(asked, { onSettled: () => setAsked(undefined) })} busy={act.isPending} />}
      {!asked && (
        <div className={styles.buttons}>
          {party &&
            acts.map((name) => (
              <Button key={name} kind={name === 'credential' ? 'primary' : 'plain'} why={why(name)} onPress={() => begin(name)}>
                {text[name]}
              </Button>
            ))}
          {party && <Edit id={view.id} why={why('revise')} />}
          <Signed id={view.id} state={view.state} why={why} />
        </div>
      )}
      <OpenSessions view={view} />
    </section>
  );
}

/** Buttons that make no sense in a state are not there; the server says whether the others may be used. */
function isNear(act: Act, state: string): boolean {
  if (act === 'cancel') return !['active', 'unknown'].includes(state);
  if (act === 'end') return ['active', 'unknown'].includes(state);
  return ['approved', 'active'].includes(state);
}

function saidWhy(said: Schema<'ActionView'> | undefined): string | undefined {
  if (said?.allowed === true) return undefined;
  return said?.reason ?? text.why.cancelled;
}

function useAct(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (act: Act): Promise<Schema<'Credential'> | undefined> => {
      const params = { path: { id } };
      if (act === 'credential') return answered(api.POST('/api/v1/grants/{id}/credentials', { params, body: {} as never, headers: { 'idempotency-key': crypto.randomUUID() } }));
      if (act === 'cancel') queries.setQueryData(requestQuery(id).queryKey, await answered(api.POST('/api/v1/requests/{id}/cancel', { params })));
      else await answered(api.POST('/api/v1/grants/{id}/end', { params }));
      return undefined;
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: [KEYS.request, id] });
      void queries.invalidateQueries({ queryKey: [KEYS.requests] });
    },
  });
}

function Confirm({ act, busy, onYes, onNo }: { act: Act; busy: boolean; onYes: () => void; onNo: () => void }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.querySelector('button')?.focus(), []);
  return (
    <div ref={place} role="group" aria-label={text[act]} onKeyDown={(event) => event.key === 'Escape' && onNo()}>
      <Notice tone="warn">
        <p>{CONFIRM[act]}</p>
        <div className={styles.buttons}>
          <Button kind={act === 'credential' ? 'primary' : 'danger'} busy={busy} onPress={onYes}>
            {text.yes[act]}
          </Button>
          <Button onPress={onNo}>{text.keep}</Button>
        </div>
      </Notice>
    </div>
  );
}

function Edit({ id, why }: { id: string; why: string | undefined }) {
  if (why !== undefined) {
    return (
      <Button why={why} onPress={() => undefined}>
        {text.edit}
      </Button>
    );
  }
  return (
    <Link to="/requests/new" search={{ revises: id }} className={buttons.button}>
      {text.edit}
    </Link>
  );
}

/** What a passkey has to sign is done where one decides: there the whole of it is shown and checked. */
function Signed({ id, state, why }: { id: string; state: string; why: (name: string) => string | undefined }) {
  const names = (['withdraw', 'revoke'] as const).filter((name) => why(name) === undefined && !(name === 'revoke' && state === 'pending'));
  return names.map((name) => (
    <Link key={name} to="/inbox/$id" params={{ id }} className={buttons.button} title={text.signed}>
      {text[name]}
    </Link>
  ));
}

const OVER = ['completed', 'expired', 'revoked', 'failed'];

function OpenSessions({ view }: { view: LoadedRequest['view'] }) {
  const grant = useQuery({ ...grantQuery(view.id), enabled: OVER.includes(view.state) && view.leases.length > 0 });
  const sessions = grant.data?.sessions_may_stay_open ?? [];
  if (sessions.length === 0) return null;
  return (
    <Notice tone="warn" title={texts.openSessions.title}>
      <p>{texts.openSessions.text}</p>
      <ul>
        {sessions.map(({ lease, named_in_log: named }) => (
          <li key={lease}>
            <code>{named}</code>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
