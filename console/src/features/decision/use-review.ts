import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { requestQuery } from '../../client/queries';
import { useSession } from '../../session/session';
import { loadReview, type Review } from './review';

/** What is on the screen, and what the server has meanwhile. */
export interface Shown {
  review: Review | undefined;
  /** Another revision or verdict than the one on the screen: nothing changes under a reader's eyes. */
  newer: Review | undefined;
  fault: unknown;
  showNewer: () => void;
  reload: () => void;
}

/** Reads the request and everything it names, again whenever something happened to it. */
export function useReview(id: string): Shown {
  const { server } = useSession();
  const request = useQuery(requestQuery(id));
  const [shown, setShown] = useState<Review>();
  const [newer, setNewer] = useState<Review>();
  const [different, setDifferent] = useState<unknown>();
  useEffect(() => {
    if (!request.data) return;
    let current = true;
    loadReview(request.data, id, server.log_origin).then(
      (read) => {
        if (!current) return;
        setDifferent(undefined);
        setShown((before) => (before === undefined || isSame(before, read) ? read : before));
        setNewer(read);
      },
      (fault: unknown) => current && setDifferent(fault),
    );
    return () => {
      current = false;
    };
  }, [request.data, id, server.log_origin]);
  return {
    review: shown,
    newer: shown && newer && !isSame(shown, newer) ? newer : undefined,
    fault: different ?? (request.data ? undefined : request.error),
    showNewer: () => setShown(newer),
    reload: () => void request.refetch(),
  };
}

/** Whether both are signed over the same bytes; only approvals, state and time may differ. */
export function isSame(left: Review, right: Review): boolean {
  return left.request.document.sha256 === right.request.document.sha256 && left.verdict.sha256 === right.verdict.sha256;
}
