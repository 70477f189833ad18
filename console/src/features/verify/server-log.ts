/** The log of the server that served this page. */

import { verify as text } from '../../strings/verify';
import { claimed, logFiles, type GivenLog } from '../../verify/logFiles';
import type { Picked } from '../../verify/picked';
import { refuse } from '../../verify/shape';

/** Whose word a log is. */
export type Source = 'given' | 'server' | 'pinned';

/** A log to hold the evidence against, and whose word it is. */
export interface SourcedLog extends GivenLog {
  from: Source;
}

/** As this server tells it, checkpoint and entries. */
export async function serverLog(): Promise<SourcedLog> {
  const checkpoint = (await serverFile('checkpoint')) ?? refuse(text.log.none);
  return { ...claimed(checkpoint), checkpoint, file: serverFile, entries: true, from: 'server' };
}

/** As it was given. Where that is a checkpoint alone, this server's entries have to fit it. */
export async function givenLog(files: readonly Picked[]): Promise<SourcedLog> {
  const log = await logFiles(files);
  return log.entries ? { ...log, from: 'given' } : { ...log, file: serverFile, from: 'pinned' };
}

/** A file under `/log/`; `undefined` when this server has none there. */
async function serverFile(path: string): Promise<Uint8Array | undefined> {
  const asked = fetch(`/log/${path}`, { credentials: 'same-origin', redirect: 'error' });
  const response = await asked.catch(() => refuse(text.log.unreachable));
  if (response.status === 404) return undefined;
  if (!response.ok) refuse(text.log.answered(response.status));
  return new Uint8Array(await response.arrayBuffer());
}
