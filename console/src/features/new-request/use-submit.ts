import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, api, ProblemError, type Schema } from '../../client/client';
import { KEYS, requestQuery } from '../../client/queries';
import { sign } from '../../session/passkey';
import { useSession } from '../../session/session';
import { examineDraft, type CheckedDraft } from './examine-draft';
import { isSamePreview, readPreview, type Preview } from './preview';
import { draftQuery } from './use-preview';

type DraftRequest = Schema<'DraftRequest'>;

/** The request that a new revision is of, at the version that its editor saw. */
export interface Revised {
  id: string;
  revision: number;
  version: number;
}

/** What was signed; sending it again counts at most once. */
interface Signed {
  body: Schema<'SubmitRequest'>;
  idempotencyKey: string;
}

export type Step =
  | { at: 'rest' }
  | { at: 'checking' }
  /** The key in the document has to sign as well. */
  | { at: 'possession'; checked: CheckedDraft }
  | { at: 'waiting' | 'recording'; fingerprint: string };

export interface Submit {
  step: Step;
  fault: unknown;
  /** Policy said something else just before signing than what was shown. */
  changed: boolean;
  /** Signed, but nobody knows whether it was recorded. */
  unsure: boolean;
  begin: (asked: DraftRequest, shown: Preview) => void;
  /** Goes on with the proof of possession. */
  proceed: (checked: CheckedDraft, possession: string) => void;
  sendAgain: () => void;
  back: () => void;
}

/** Draft, examination, possession where a key is named, passkey, submission: the one way in which the console asks. */
export function useSubmit(entitlement: Schema<'EntitlementView'>, revised: Revised | undefined, onDone: (id: string) => void): Submit {
  const { me, server } = useSession();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step>({ at: 'rest' });
  const [changed, setChanged] = useState(false);
  const [signed, setSigned] = useState<Signed>();

  const record = async (one: Signed, fingerprint: string) => {
    setStep({ at: 'recording', fingerprint });
    const view = await answered(send(one, revised));
    setSigned(undefined);
    queries.setQueryData(requestQuery(view.id).queryKey, view);
    void queries.invalidateQueries({ queryKey: [KEYS.requests] });
    onDone(view.id);
  };

  const signAndSend = async (checked: CheckedDraft, possession: string | undefined) => {
    const { document, disclosures, allowed } = checked;
    setStep({ at: 'waiting', fingerprint: document.fingerprint });
    const { assertion } = await sign(document.challenge, server.rp_id, allowed);
    const body = { document: document.text, disclosures: [...disclosures], signature: { kind: 'passkey' as const, assertion }, ...(possession && { possession }) };
    const one = { body, idempotencyKey: crypto.randomUUID() };
    setSigned(one);
    await record(one, document.fingerprint);
  };

  const settle = (fault: unknown) => {
    setStep({ at: 'rest' });
    if (!isUnsure(fault)) setSigned(undefined);
  };

  const begin = useMutation({
    mutationFn: async ({ asked, shown }: { asked: DraftRequest; shown: Preview }) => {
      setStep({ at: 'checking' });
      setChanged(false);
      setSigned(undefined);
      const draft = await answered(api.POST('/api/v1/drafts', { body: asked }));
      const asking = { person: me.person, server, entitlement, revision: revised ? revised.revision + 1 : 1, now: Date.now() };
      const checked = await examineDraft(asked, draft, asking);
      const preview = readPreview(draft.preview);
      queries.setQueryData(draftQuery(asked).queryKey, preview);
      if (!isSamePreview(preview, shown)) {
        setChanged(true);
        setStep({ at: 'rest' });
      } else if (checked.content.beneficiary.public_key !== undefined) {
        setStep({ at: 'possession', checked });
      } else {
        await signAndSend(checked, undefined);
      }
    },
    onError: settle,
  });
  const proceed = useMutation({ mutationFn: ({ checked, possession }: { checked: CheckedDraft; possession: string }) => signAndSend(checked, possession), onError: settle });
  const again = useMutation({ mutationFn: (one: Signed) => record(one, ''), onError: settle });
  const reset = () => [begin, proceed, again].forEach((one) => one.reset());

  return {
    step,
    fault: again.error ?? proceed.error ?? begin.error,
    changed,
    unsure: signed !== undefined && step.at === 'rest',
    begin: (asked, shown) => {
      reset();
      begin.mutate({ asked, shown });
    },
    proceed: (checked, possession) => {
      reset();
      proceed.mutate({ checked, possession });
    },
    sendAgain: () => signed && again.mutate(signed),
    back: () => {
      reset();
      setStep({ at: 'rest' });
    },
  };
}

function send({ body, idempotencyKey }: Signed, revised: Revised | undefined) {
  if (!revised) return api.POST('/api/v1/requests', { body, headers: { 'idempotency-key': idempotencyKey } });
  const { id, version } = revised;
  return api.POST('/api/v1/requests/{id}/revisions', { params: { path: { id } }, body, headers: { 'if-match': `"${version}"` } });
}

/** Whether a failure leaves open if the server did what it was asked. */
function isUnsure(fault: unknown): boolean {
  return fault instanceof ProblemError && (fault.problem.status === 0 || fault.problem.status >= 500);
}
