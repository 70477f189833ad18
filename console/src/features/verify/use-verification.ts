import { useEffect, useState } from 'react';
import { verify as text } from '../../strings/verify';
import type { Lineage } from '../../verify/lineage';
import { readAll, type Picked } from '../../verify/picked';
import { reason } from '../../verify/shape';
import { readTrust } from '../../verify/trustDirectory';
import { trustFiles, type Dropped } from '../../verify/trustFiles';
import { verifyZip, type Verification } from '../../verify/verify';
import { givenLog, serverLog, type SourcedLog } from './server-log';

/** What was given in one place: nothing yet, something good, or why it is none. */
export type Given<T> = { state: 'waiting' } | { state: 'ready'; value: T } | { state: 'bad'; why: string };

interface Held {
  evidence: Given<Dropped>;
  trust: Given<Lineage>;
  /** A newer log, which may be left out. */
  log: Given<SourcedLog>;
  /** What verification found, once all is there and while nothing was replaced. */
  found: Verification | undefined;
  busy: boolean;
  giveEvidence: (files: Promise<Picked[]>) => void;
  giveTrust: (files: Promise<Picked[]>) => void;
  giveLog: (files: Promise<Picked[]>) => void;
  takeServerLog: () => void;
  leaveLogOut: () => void;
}

/** Holds what verification needs, and verifies as soon as bundle and trust are there. */
export function useVerification(): Held {
  const [evidence, setEvidence] = useState<Given<Dropped>>({ state: 'waiting' });
  const [trust, setTrust] = useState<Given<Lineage>>({ state: 'waiting' });
  const [log, setLog] = useState<Given<SourcedLog>>({ state: 'waiting' });
  const [found, setFound] = useState<Verification>();
  // A log that was given and cannot be read is not passed over in silence.
  const complete = evidence.state === 'ready' && trust.state === 'ready' && log.state !== 'bad';
  useEffect(() => {
    setFound(undefined);
    if (evidence.state !== 'ready' || trust.state !== 'ready' || log.state === 'bad') return undefined;
    let replaced = false;
    const newerLog = log.state === 'ready' ? log.value : undefined;
    void verifyZip(evidence.value.bytes, trust.value, { now: Math.floor(Date.now() / 1000), newerLog }).then((verification) => {
      if (!replaced) setFound(verification);
    });
    return () => {
      replaced = true;
    };
  }, [evidence, trust, log]);
  return {
    ...{ evidence, trust, log, found, busy: complete && found === undefined },
    giveEvidence: (files) => settle(files.then(readAll).then(onlyFile), setEvidence),
    giveTrust: (files) => settle(files.then(readAll).then(trustFiles).then(readTrust), setTrust),
    giveLog: (files) => settle(files.then(givenLog), setLog),
    takeServerLog: () => settle(serverLog(), setLog),
    leaveLogOut: () => setLog({ state: 'waiting' }),
  };
}

function onlyFile(files: Dropped[]): Dropped {
  const [only, ...rest] = files;
  if (only === undefined || rest.length > 0) throw new Error(text.oneFile);
  return only;
}

function settle<T>(value: Promise<T>, set: (given: Given<T>) => void): void {
  value.then((ready) => set({ state: 'ready', value: ready })).catch((error: unknown) => set({ state: 'bad', why: reason(error) }));
}
