import { useQuery } from '@tanstack/react-query';
import { answered, api } from '../../client/client';
import { useEffect, useState } from 'react';
import type { Schema } from '../../client/client';
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
  const { me } = useSession();
  useSeen(id, request.data, me.person);
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

/** Tells the server once that an approver looked. It is a courtesy to the requester: failing changes nothing here. */
function useSeen(id: string, view: Schema<'RequestView'> | undefined, me: string): void {
  const may = view?.state === 'pending' && view.stages.some(({ eligible }) => eligible.some(({ person }) => person === me));
  useEffect(() => {
    if (may) answered(api.POST('/api/v1/requests/{id}/seen', { params: { path: { id } } })).catch(() => undefined);
  }, [id, may]);
}

/** Whether both are signed over the same bytes; only approvals, state and time may differ. */
export function isSame(left: Review, right: Review): boolean {
  return left.request.document.sha256 === right.request.document.sha256 && left.verdict.sha256 === right.verdict.sha256;
}
