import { decision as texts } from '../../strings/decision';
import { common } from '../../strings/common';
import { fingerprintOf } from '../../ui/format';
import { Literal } from '../../ui/literal';
import { Pair } from './parts';
import type { Review } from './review';
import styles from './decision.module.css';

/** The very texts that are signed, and their digests, computed here. */
export function Proof({ review }: { review: Review }) {
  const { request, verdict, view } = review;
  const text = texts.proof;
  const signed = [
    [text.document, request.document.text],
    [text.verdictText, verdict.text],
  ] as const;
  return (
    <section aria-labelledby="proof">
      <h2 id="proof">{text.title}</h2>
      <dl className={styles.pairs}>
        <Pair name={common.fingerprint}>
          <code className={styles.fingerprint} id="request-fingerprint">
            {fingerprintOf(request.document.sha256)}
          </code>
        </Pair>
        <Pair name={text.request}>
          <code>{request.document.sha256}</code>
        </Pair>
        <Pair name={text.verdict}>
          <code>{verdict.sha256}</code>
        </Pair>
        <Pair name={text.id}>
          <code>{view.id}</code>, {text.revision.toLowerCase()} {request.content.revision}
        </Pair>
      </dl>
      <p className={styles.quiet}>{text.note}</p>
      {signed.map(([title, source]) => (
        <details key={title} className={styles.details}>
          <summary>{title}</summary>
          <pre tabIndex={0} role="region" aria-label={title} className={styles.raw}>
            <Literal text={source} multiline />
          </pre>
        </details>
      ))}
    </section>
  );
}
