import { Believed } from '../features/verify/believed';
import { Came } from '../features/verify/came';
import { DropZone } from '../features/verify/drop-zone';
import { LogZone } from '../features/verify/log-zone';
import { Report } from '../features/verify/report';
import { useVerification } from '../features/verify/use-verification';
import styles from '../features/verify/verify.module.css';
import { Page } from '../shell/page';
import { common } from '../strings/common';
import { verify as text } from '../strings/verify';
import { Visible } from '../ui/literal';
import { came } from '../verify/given';
import { written } from '../verify/moment';

/** Evidence against a trust directory, in this browser. */
export function Verify() {
  const held = useVerification();
  const { evidence, trust, log, found } = held;
  return (
    <Page title={text.title}>
      <p className={styles.lead}>{text.lead}</p>
      <div className={styles.inputs}>
        <DropZone {...text.evidence} state={evidence.state === 'ready' ? came('evidence', found) : evidence.state} onFiles={held.giveEvidence}>
          {evidence.state === 'waiting' && text.evidence.waiting}
          {evidence.state === 'ready' && (
            <>
              <Visible text={text.ready(evidence.value.path, common.bytes(evidence.value.bytes.length))} /> <Came place="evidence" found={found} />
            </>
          )}
          {evidence.state === 'bad' && evidence.why}
        </DropZone>
        <DropZone {...text.trust} many state={trust.state === 'ready' ? came('trust', found) : trust.state} onFiles={held.giveTrust}>
          {trust.state === 'waiting' && text.trust.waiting}
          {trust.state === 'ready' && (
            <>
              {text.trust.ready(trust.value.newest.document.version, trust.value.newest.logOrigin, written(trust.value.newest.document.expires_at).slice(0, 10))}{' '}
              <code>{trust.value.newest.sha256}</code> <Came place="trust" found={found} />
            </>
          )}
          {trust.state === 'bad' && <Visible text={trust.why} />}
        </DropZone>
        <LogZone log={log} found={found} onFiles={held.giveLog} onServer={held.takeServerLog} onLeaveOut={held.leaveLogOut} />
      </div>
      {held.busy && <p role="status">{text.busy}</p>}
      {found !== undefined && <Report verification={found} leaves={log.state === 'ready' ? log.value.size : 0} />}
      {trust.state === 'ready' && <Believed lineage={trust.value} />}
    </Page>
  );
}
