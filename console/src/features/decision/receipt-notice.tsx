import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { decision as texts } from '../../strings/decision';
import { inbox } from '../../strings/inbox';
import { Notice } from '../../ui/notice';
import type { Recorded } from './use-act';
import styles from './decision.module.css';

/** The decision stands in the log; here is the proof of it to keep. */
export function ReceiptNotice({ recorded, requestId }: { recorded: Recorded; requestId: string }) {
  const { wish, receipt, fingerprint, findings } = recorded;
  const wrong = findings.length > 0;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), []);
  const text = texts.recorded;
  return (
    <div ref={place} tabIndex={-1} className={styles.bar} role="region" aria-label={texts.act.title}>
      <Notice tone={wrong ? 'bad' : 'good'} title={wrong ? text.wrong : text.title} alert>
        <p>
          {text.text(texts.kinds[wish.kind] ?? wish.kind, receipt.leaf_index)} <code className={styles.fingerprint}>{fingerprint}</code>
        </p>
        {findings.map(({ what, detail }, position) => (
          <p key={position}>
            <strong>{what}</strong>: <code>{detail}</code>
          </p>
        ))}
        <p className={styles.buttons}>
          <ReceiptLink receipt={receipt} requestId={requestId} />
          <Link to="/">{inbox.backToList}</Link>
        </p>
      </Notice>
    </div>
  );
}

function ReceiptLink({ receipt, requestId }: { receipt: Recorded['receipt']; requestId: string }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([`${JSON.stringify(receipt, null, 2)}\n`], { type: 'application/json' }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [receipt]);
  return (
    <a href={address} download={`chancery-receipt-${requestId}-${receipt.leaf_index}.json`} title={texts.recorded.keep}>
      {texts.recorded.download}
    </a>
  );
}
