import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { answered, api, type Schema } from '../../client/client';
import { Dialog } from '../../shell/dialog';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { CopyText } from '../../ui/copy';
import { Problem } from '../../ui/problem';
import { Remaining } from '../../ui/time';
import { readInvitation } from './invitation';
import styles from './admin.module.css';

/** Makes a link by which somebody new makes a passkey. The link confers nothing by itself. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const text = admin.invite;
  const hint = useId();
  const rolesHint = useId();
  const [roles, setRoles] = useState('');
  const [attributes, setAttributes] = useState('');
  const invited = readInvitation(roles, attributes);
  const make = useMutation({
    mutationFn: () => answered(api.POST('/api/v1/invitations', { body: { roles: invited.roles, attributes: invited.attributes } })),
  });
  const why = invited.wrong === undefined ? undefined : text.attributesWrong(invited.wrong);
  return (
    <Dialog title={text.title} open onOpenChange={(open) => open || onClose()}>
      {make.data ? (
        <OneTimeLink link={make.data} next={text.next} />
      ) : (
        <div className={styles.stack}>
          <label className={styles.field}>
            {text.roles}
            <input value={roles} onChange={(event) => setRoles(event.target.value)} autoComplete="off" autoCapitalize="off" aria-describedby={rolesHint} />
          </label>
          <p id={rolesHint} className={styles.quiet}>
            {text.rolesHint}
          </p>
          <label className={styles.field}>
            {text.attributes}
            <textarea value={attributes} onChange={(event) => setAttributes(event.target.value)} aria-describedby={hint} />
          </label>
          <p id={hint} className={styles.quiet}>
            {text.attributesHint}
          </p>
          {make.isError && <Problem fault={make.error} />}
          <div className={styles.actions}>
            <Button kind="primary" why={why} busy={make.isPending} onPress={() => make.mutate()}>
              {text.make}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** A link that is shown once, and what follows from it. */
export function OneTimeLink({ link, next }: { link: Schema<'Invitation'>; next: string }) {
  const text = admin.people;
  return (
    <div className={styles.stack} role="status">
      <p>
        <strong>{text.shownOnce}</strong> {text.linkEnds} <Remaining until={link.expires_at} />.
      </p>
      <CopyText label={text.link} text={link.url} />
      <p className={styles.quiet}>{next}</p>
    </div>
  );
}
