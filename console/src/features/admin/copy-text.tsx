import { useState } from 'react';
import { admin } from '../../strings/admin';
import { Button } from '../../ui/button';
import { Literal } from '../../ui/literal';
import styles from './admin.module.css';

/** A text that is taken somewhere else, such as a link. */
export function CopyText({ label, text }: { label: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <div className={styles.copy} role="group" aria-label={label}>
      <Literal text={text} />
      <Button onPress={copy} label={`${admin.copy}: ${label}`}>
        <span aria-live="polite">{copied ? admin.copied : admin.copy}</span>
      </Button>
    </div>
  );
}
