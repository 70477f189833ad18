import type { ReactNode } from 'react';
import type { Schema } from '../../client/client';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { fingerprintOf } from '../../ui/format';
import styles from './admin.module.css';

interface PasskeyListProps {
  passkeys: readonly Schema<'PasskeyView'>[];
  why: string | undefined;
  onRemove: (credentialId: string) => void;
  /** What is said beside one of them. */
  beside?: (passkey: Schema<'PasskeyView'>) => ReactNode;
}

const SILENT_MODEL = /^0+$/;

/** Passkeys by the digest of their id, as decisions name them. */
export function PasskeyList({ passkeys, why, onRemove, beside }: PasskeyListProps) {
  const text = admin.people;
  if (passkeys.length === 0) return null;
  return (
    <ul className={styles.rows} aria-label={text.passkeysTitle}>
      {passkeys.map((passkey) => {
        const fingerprint = fingerprintOf(passkey.credential_id_sha256);
        return (
          <li key={passkey.credential_id} className={styles.row}>
            <span className={styles.rowMain}>
              <span>
                <code>{fingerprint}</code> {beside?.(passkey)}
              </span>
              <span className={styles.quiet}>
                {passkey.backup_eligible ? admin.act.mayBeSynced : admin.act.staysHere}
                {passkey.attested && ` · ${admin.act.saidBy}: ${admin.act.maker}`}
                {` · ${SILENT_MODEL.test(passkey.aaguid) ? admin.act.noModel : passkey.aaguid}`}
              </span>
            </span>
            <Button kind="quiet" why={why} label={text.removeOne(fingerprint)} onPress={() => onRemove(passkey.credential_id)}>
              {text.remove}
            </Button>
          </li>
        );
      })}
    </ul>
  );
}
