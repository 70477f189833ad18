import { Believed } from '../features/verify/believed';
import { DropZone } from '../features/verify/drop-zone';
import { Report } from '../features/verify/report';
import { useVerification } from '../features/verify/use-verification';
import styles from '../features/verify/verify.module.css';
import { Page } from '../shell/page';
import { common } from '../strings/common';
import { verify as text } from '../strings/verify';
import { Visible } from '../ui/literal';
import { written } from '../verify/moment';

/** Evidence against a trust directory, in this browser. */
export function Verify() {
  const { evidence, trust, found, busy, giveEvidence, giveTrust } = useVerification();
  return (
    <Page title={text.title}>
      <p className={styles.lead}>{text.lead}</p>
      <div className={styles.inputs}>
        <DropZone {...text.evidence} state={evidence.state} onFiles={giveEvidence}>
          {evidence.state === 'waiting' && text.evidence.waiting}
          {evidence.state === 'ready' && <Visible text={text.ready(evidence.value.path, common.bytes(evidence.value.bytes.length))} />}
          {evidence.state === 'bad' && evidence.why}
        </DropZone>
        <DropZone {...text.trust} many state={trust.state} onFiles={giveTrust}>
          {trust.state === 'waiting' && text.trust.waiting}
          {trust.state === 'ready' && (
            <>
              {text.trust.ready(trust.value.newest.document.version, trust.value.newest.logOrigin, written(trust.value.newest.document.expires_at).slice(0, 10))}{' '}
              <code>{trust.value.newest.sha256}</code>
            </>
          )}
          {trust.state === 'bad' && <Visible text={trust.why} />}
        </DropZone>
      </div>
      {trust.state === 'ready' && <Believed lineage={trust.value} />}
      {busy && <p role="status">{text.busy}</p>}
      {found !== undefined && <Report verification={found} />}
    </Page>
  );
}
