import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, api, ProblemError, type Schema } from '../../client/client';
import { KEYS, requestQuery } from '../../client/queries';
import { sign } from '../../session/passkey';
import { rememberedPasskey } from '../../session/sign-in';
import { useSession } from '../../session/session';
import type { Finding } from '../documents/findings';
import { examineDecision, type ExaminedOffer, type Wish } from './offer';
import { examineReceipt } from './receipt';
import type { Review } from './review';

/** What the passkey signed; sending it again counts at most once. */
interface Signed {
  wish: Wish;
  offer: ExaminedOffer;
  assertion: Schema<'Assertion'>;
}

export interface Recorded {
  wish: Wish;
  fingerprint: string;
  receipt: Schema<'Receipt'>;
  /** How the receipt differs from what was signed here. */
  findings: readonly Finding[];
}

export type Step =
  | { at: 'rest' }
  | { at: 'preparing' }
  | { at: 'waiting' | 'recording'; offer: ExaminedOffer; wish: Wish }
  | { at: 'recorded'; recorded: Recorded };

export interface Act {
  step: Step;
  fault: unknown;
  /** Signed, but nobody knows whether it was recorded. */
  unsure: boolean;
  begin: (wish: Wish, digits: string) => void;
  sendAgain: () => void;
  forget: () => void;
}

/** Options, examination, passkey, record: the one way in which the console decides. */
export function useAct(review: Review): Act {
  const { me, server } = useSession();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step>({ at: 'rest' });
  const [signed, setSigned] = useState<Signed>();
  const id = review.request.content.id;

  const record = async (one: Signed) => {
    setStep({ at: 'recording', offer: one.offer, wish: one.wish });
    const body = { document: one.offer.document.text, assertion: one.assertion, ...(one.offer.disclosure && { disclosure: one.offer.disclosure }) };
    const outcome = await answered(api.POST('/api/v1/requests/{id}/decisions', { params: { path: { id } }, body }));
    const findings = await examineReceipt(outcome.receipt, one.offer.document, one.assertion);
    queries.setQueryData(requestQuery(id).queryKey, outcome.request);
    setSigned(undefined);
    setStep({ at: 'recorded', recorded: { wish: one.wish, fingerprint: one.offer.document.fingerprint, receipt: outcome.receipt, findings } });
  };

  const act = useMutation({
    mutationFn: async ({ wish, digits }: { wish: Wish; digits: string }) => {
      setStep({ at: 'preparing' });
      setSigned(undefined);
      const body = optionsBody(wish, digits, usualPasskey(review, me));
      const options = await answered(api.POST('/api/v1/requests/{id}/decisions/options', { params: { path: { id } }, body }));
      const offer = await examineDecision(review, wish, options, { person: me.person, server, now: Date.now() });
      setStep({ at: 'waiting', offer, wish });
      const { assertion } = await sign(offer.document.challenge, server.rp_id, offer.allowed);
      const one = { wish, offer, assertion };
      setSigned(one);
      await record(one);
    },
    onError: (fault) => settle(fault),
    onSettled: () => void queries.invalidateQueries({ queryKey: [KEYS.requests] }),
  });
  const again = useMutation({ mutationFn: record, onError: (fault) => settle(fault) });

  const settle = (fault: unknown) => {
    setStep({ at: 'rest' });
    if (!isUnsure(fault)) setSigned(undefined);
    void queries.invalidateQueries({ queryKey: [KEYS.request, id] });
  };

  return {
    step,
    fault: again.error ?? act.error,
    unsure: signed !== undefined && step.at === 'rest',
    begin: (wish, digits) => {
      again.reset();
      act.mutate({ wish, digits });
    },
    sendAgain: () => signed && again.mutate(signed),
    forget: () => {
      act.reset();
      again.reset();
      setStep({ at: 'rest' });
    },
  };
}

/** Whether a failure leaves open if the server did what it was asked. */
function isUnsure(fault: unknown): boolean {
  return fault instanceof ProblemError && (fault.problem.status === 0 || fault.problem.status >= 500);
}

function optionsBody(wish: Wish, digits: string, passkey: string | undefined): Schema<'DecisionOptionsRequest'> {
  return {
    decision: wish.kind,
    ...(wish.reason !== '' && { reason: wish.reason }),
    ...(passkey !== undefined && { credential_id: passkey }),
    ...(digits !== '' && { matching_number: digits }),
    ...(wish.suspicious && { report_suspicious: true }),
  };
}

/** Of several passkeys the one that signed in here, unless policy asks for hardware and it is none. */
function usualPasskey({ verdict }: Review, me: Schema<'WhoAmI'>): string | undefined {
  const usual = me.passkeys.find(({ credential_id }) => credential_id === rememberedPasskey());
  const hardware = verdict.content.obligations.includes('hardware_passkey');
  const fits = usual !== undefined && (!hardware || (usual.attested && !usual.backup_eligible));
  return fits ? usual.credential_id : undefined;
}
