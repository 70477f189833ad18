import { verify as text } from '../../strings/verify';
import { Button } from '../../ui/button';
import { Visible } from '../../ui/literal';
import { came } from '../../verify/given';
import type { Picked } from '../../verify/picked';
import type { Verification } from '../../verify/verify';
import { Came } from './came';
import { DropZone } from './drop-zone';
import type { SourcedLog } from './server-log';
import type { Given } from './use-verification';

interface LogZoneProps {
  log: Given<SourcedLog>;
  found: Verification | undefined;
  onFiles: (files: Promise<Picked[]>) => void;
  onServer: () => void;
  onLeaveOut: () => void;
}

/** A newer log, by whoever's word; what it is worth is said beside it. */
export function LogZone({ log, found, onFiles, onServer, onLeaveOut }: LogZoneProps) {
  const actions = (
    <>
      <Button onPress={onServer}>{text.log.server}</Button>
      {log.state !== 'waiting' && <Button onPress={onLeaveOut}>{text.log.leaveOut}</Button>}
    </>
  );
  return (
    <DropZone {...text.log} state={log.state === 'ready' ? came('log', found) : log.state} onFiles={onFiles} actions={actions}>
      {log.state === 'waiting' && text.log.waiting}
      {log.state === 'ready' && (
        <>
          {text.log.claims(log.value.size, log.value.origin)} {text.log.from[log.value.from]} <Came place="log" found={found} />
        </>
      )}
      {log.state === 'bad' && <Visible text={log.why} />}
    </DropZone>
  );
}
