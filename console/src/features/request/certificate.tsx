import type { Schema } from '../../client/client';
import { request as texts } from '../../strings/request';
import { Button } from '../../ui/button';
import { Command } from '../../ui/copy';
import { Notice } from '../../ui/notice';
import { Moment, Remaining } from '../../ui/time';
import { save } from './save';

const text = texts.certificate;
const FILE = 'id_ed25519-cert.pub';

/** A certificate that was just issued, for the key that the request names. */
export function Certificate({ credential }: { credential: Schema<'Credential'> }) {
  const { certificate, serial, not_after: until } = credential;
  return (
    <Notice tone="good" title={text.title} alert>
      <p>{text.text(serial)}</p>
      <p>
        {text.until} <Moment value={until} /> (<Remaining until={until} />)
      </p>
      <p>
        <Button onPress={() => save(`${certificate.trim()}\n`, 'text/plain', FILE)}>{text.download}</Button>
      </p>
      <Command text={`ssh -i ~/.ssh/id_ed25519 -o CertificateFile=${FILE} LOGIN@HOST`} label={text.command} />
    </Notice>
  );
}
