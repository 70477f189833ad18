import { verify as text } from '../../strings/verify';
import { Moment } from '../../ui/time';
import type { Lineage } from '../../verify/lineage';
import { written } from '../../verify/moment';
import styles from './verify.module.css';

/** What is believed beforehand: each version of the trust root, and who signed it. */
export function Believed({ lineage }: { lineage: Lineage }) {
  return (
    <section className={`${styles.card} ${styles.believed}`} data-believed="">
      <h2>{text.believed}</h2>
      <p className={styles.quiet}>{text.believedHint}</p>
      <dl className={styles.facts}>
        {lineage.accepted.map(({ root: { document, sha256 }, signers }) => (
          <div key={document.version}>
            <dt>{text.version(document.version)}</dt>
            <dd>
              <code>{sha256}</code> {text.sealed} <Moment value={written(document.created_at)} />{' '}
              {signers.length === 0 ? text.handedOver : text.signedBy(signers.join(', '))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
