import { useState } from 'react';
import { common } from '../strings/common';
import { Button } from './button';
import { Literal } from './literal';
import styles from './copy.module.css';

const SHOWN_MS = 2000;

/** Puts a text on the clipboard, and says so. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const [copied, setCopied] = useState<boolean>();
  const copy = async () => {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setCopied(done);
    setTimeout(() => setCopied(undefined), SHOWN_MS);
  };
  const said = copied === undefined ? common.copy : copied ? common.copied : common.copyFailed;
  return (
    <>
      <Button onPress={() => void copy()} {...(label !== undefined && { label: `${said}: ${label}` })}>
        {said}
      </Button>
      <span role="status" className={styles.unseen}>
        {copied === undefined ? '' : said}
      </span>
    </>
  );
}

/** Something to be run in a terminal, whole, with a button that copies it. */
export function Command({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles.command}>
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text}</code>
      </pre>
      <Copy text={text} label={label} />
    </div>
  );
}

/** A text that is taken somewhere else, such as a link. */
export function CopyText({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles.taken} role="group" aria-label={label}>
      <Literal text={text} />
      <Copy text={text} label={label} />
    </div>
  );
}
