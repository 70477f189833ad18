import { useMutation, useQuery, type UseMutationResult } from '@tanstack/react-query';
import { answered, api, ProblemError, type Schema } from '../../client/client';
import { sign } from '../../session/passkey';
import { useSession } from '../../session/session';
import { moment } from '../../ui/format';
import { Findings } from '../documents/findings';
import { examineAct, type ReadAct, type Wish } from './act-document';
import { useRefreshPeople } from './queries';

/** What is to be signed: something asked for here, or something that another administrator signed. */
export type Subject = { wish: Wish } | { waiting: Schema<'WaitingAct'> };

/** An act that was examined, and who signed it so far. */
export interface OpenAct {
  read: ReadAct;
  signedBy: readonly string[];
  needed: number;
}

/** The act; what differs is a `Different`, with the text as it was sent beside it. */
export function useOffer(subject: Subject) {
  const { server } = useSession();
  return useQuery({
    queryKey: ['identity-offer', 'wish' in subject ? subject.wish : subject.waiting.document_sha256],
    queryFn: () => openAct(subject, server),
    // Each answer is an offer of its own: it stands until the dialog is closed.
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
}

async function openAct(subject: Subject, server: Schema<'ServerInformation'>): Promise<OpenAct> {
  if ('waiting' in subject) {
    const { waiting } = subject;
    const read = await examineAct(waiting, undefined, { server, now: Date.now() });
    return { read, signedBy: waiting.signed_by, needed: waiting.needed };
  }
  const { act, body } = subject.wish;
  const options = await answered(api.POST('/api/v1/identity/options', { body: { act, body: { ...body } as Record<string, never> } }));
  const read = await examineAct(options, subject.wish, { server, now: Date.now() });
  return { read, signedBy: [], needed: options.needed };
}

/** The offer ended between being shown and being signed. */
export class OfferOver extends Error {
  override readonly name = 'OfferOver';
}

export type Signature = UseMutationResult<Schema<'IdentityOutcome'>, Error, ReadAct>;

/** Signs exactly the document that was examined. */
export function useSignature(): Signature {
  const { server } = useSession();
  const refresh = useRefreshPeople();
  return useMutation({
    mutationFn: async ({ document, allowed, expiresAt }: ReadAct) => {
      if (!(moment(expiresAt) > Date.now()) || !allowed) throw new OfferOver();
      const { assertion } = await sign(document.challenge, server.rp_id, allowed);
      const outcome = await answered(api.POST('/api/v1/identity', { body: { document: document.text, assertion } }));
      const findings = new Findings();
      findings.same('outcome, document', document.sha256, outcome.document_sha256);
      return findings.settle(outcome);
    },
    onSettled: refresh,
  });
}

/** Whether a failure leaves open if the signature was taken. */
export function isUnsure(fault: unknown): boolean {
  return fault instanceof ProblemError && (fault.problem.status === 0 || fault.problem.status >= 500);
}
