import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schema } from '../client/client';
import { session as text } from '../strings/session';
import { common } from '../strings/common';
import { Button } from '../ui/button';
import { Problem } from '../ui/problem';
import { forgetPerson, rememberedPerson, signIn } from './sign-in';
import styles from './session.module.css';

export function SignIn({ server }: { server: Schema<'ServerInformation'> }) {
  const queries = useQueryClient();
  const [known, setKnown] = useState(rememberedPerson);
  const begin = useMutation({
    mutationFn: () => signIn(server),
    onSuccess: () => queries.resetQueries(),
  });
  const forget = () => {
    forgetPerson();
    setKnown(undefined);
    begin.reset();
  };
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <p className={styles.brand}>
          <img src="/icon.svg" alt="" width="28" height="28" />
          {common.product}
        </p>
        <h1>{text.title}</h1>
        <p className={styles.lead}>{text.lead}</p>
        {begin.isError && <Problem fault={begin.error} />}
        <Button kind="primary" busy={begin.isPending} onPress={() => begin.mutate()} className={styles.wide}>
          {begin.isPending ? text.busy : text.button}
        </Button>
        {known === undefined ? (
          <p className={styles.small}>{text.first}</p>
        ) : (
          <p className={styles.small}>
            {text.last} <code>{known}</code>{' '}
            <Button kind="quiet" onPress={forget}>
              {text.other}
            </Button>
          </p>
        )}
        <p className={styles.small}>{text.enrol}</p>
      </div>
      <p className={styles.foot}>{text.log(server.log_origin, server.version)}</p>
    </main>
  );
}
