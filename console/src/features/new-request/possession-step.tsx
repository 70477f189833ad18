import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { newRequest as texts } from '../../strings/new-request';
import { Button } from '../../ui/button';
import { Command } from '../../ui/copy';
import { TextInput } from './fields';
import type { CheckedDraft } from './examine-draft';
import { possessionCommand, readPossession } from './possession';
import styles from './new-request.module.css';

interface StepProps {
  checked: CheckedDraft;
  onSigned: (possession: string) => void;
  onBack: () => void;
}

const text = texts.possession;

/** The key in the document signs it in a terminal; the signature is verified here before the passkey is asked. */
export function PossessionStep({ checked, onSigned, onBack }: StepProps) {
  const { document, content } = checked;
  const key = content.beneficiary.public_key ?? '';
  const [pasted, setPasted] = useState('');
  const place = useRef<HTMLElement>(null);
  useEffect(() => place.current?.focus(), []);
  const proof = useQuery({
    queryKey: ['possession', document.sha256, pasted],
    queryFn: () => readPossession(pasted, key, document.challenge),
    enabled: pasted.trim() !== '',
    retry: false,
    staleTime: Infinity,
  });
  return (
    <section ref={place} tabIndex={-1} className={styles.possession} aria-labelledby="possession">
      <h2 id="possession">{text.title}</h2>
      <p>{text.lead}</p>
      <Command text={possessionCommand(document.challenge)} label={text.command} />
      <TextInput label={text.paste} hint={text.pasteHint} value={pasted} onChange={setPasted} required long mono fault={proof.isError ? text.bad(proof.error.message) : undefined} />
      {proof.isSuccess && (
        <p className={styles.good} role="status">
          {text.good}
        </p>
      )}
      <dl className={styles.facts}>
        <dt>{text.facts.request}</dt>
        <dd>
          <code>{content.id}</code>
        </dd>
        <dt>{text.facts.key}</dt>
        <dd>
          <code>{key}</code>
        </dd>
        <dt>{text.facts.digest}</dt>
        <dd>
          <code>{document.sha256}</code>
        </dd>
      </dl>
      <div className={styles.buttons}>
        <Button kind="primary" why={proof.data === undefined ? text.needed : undefined} onPress={() => proof.data !== undefined && onSigned(proof.data)}>
          {texts.submit.sign}
        </Button>
        <Button onPress={onBack}>{texts.submit.back}</Button>
      </div>
    </section>
  );
}
