import { useEffect, useState } from 'react';
import type { Lineage } from '../../verify/lineage';
import { reason } from '../../verify/shape';
import { readTrust } from '../../verify/trustDirectory';
import { trustFiles, type Dropped } from '../../verify/trustFiles';
import { verifyZip, type Verification } from '../../verify/verify';
import { verify as text } from '../../strings/verify';

/** What was given in one place: nothing yet, something good, or why it is none. */
export type Given<T> = { state: 'waiting' } | { state: 'ready'; value: T } | { state: 'bad'; why: string };

interface Held {
  evidence: Given<Dropped>;
  trust: Given<Lineage>;
  /** What verification found, once both are there and while neither was replaced. */
  found: Verification | undefined;
  busy: boolean;
  giveEvidence: (files: Promise<Dropped[]>) => void;
  giveTrust: (files: Promise<Dropped[]>) => void;
}

/** Holds the two things that verification needs, and verifies as soon as both are there. */
export function useVerification(): Held {
  const [evidence, setEvidence] = useState<Given<Dropped>>({ state: 'waiting' });
  const [trust, setTrust] = useState<Given<Lineage>>({ state: 'waiting' });
  const [found, setFound] = useState<Verification>();
  useEffect(() => {
    setFound(undefined);
    if (evidence.state !== 'ready' || trust.state !== 'ready') return undefined;
    let replaced = false;
    void verifyZip(evidence.value.bytes, trust.value, { now: Math.floor(Date.now() / 1000) }).then((verification) => {
      if (!replaced) setFound(verification);
    });
    return () => {
      replaced = true;
    };
  }, [evidence, trust]);
  const busy = evidence.state === 'ready' && trust.state === 'ready' && found === undefined;
  return {
    ...{ evidence, trust, found, busy },
    giveEvidence: (files) => settle(files.then(onlyFile), setEvidence),
    giveTrust: (files) => settle(files.then(trustFiles).then(readTrust), setTrust),
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
