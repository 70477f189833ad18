import { LOCAL_CODES, ProblemError } from '../client/client';
import { Different } from '../features/documents/findings';
import { PasskeyCancelled, PasskeyRefused } from '../session/passkey';
import { UnknownPasskey } from '../session/sign-in';
import { common } from '../strings/common';
import { Button } from './button';
import { Notice } from './notice';
import styles from './ui.module.css';

interface Said {
  reason: string;
  remedy: string;
}

/** What a failure means, in words: the server's own where it has some. */
export function said(fault: unknown): Said {
  if (fault instanceof ProblemError) return saidByProblem(fault);
  const { passkey, problem } = common;
  if (fault instanceof PasskeyCancelled) return { reason: passkey.cancelled, remedy: passkey.cancelledRemedy };
  if (fault instanceof PasskeyRefused) return { reason: passkey.refused, remedy: passkey.refusedRemedy };
  if (fault instanceof UnknownPasskey) return { reason: passkey.unknown, remedy: passkey.unknownRemedy };
  return { reason: problem.unexpected, remedy: fault instanceof Error ? fault.message : String(fault) };
}

function saidByProblem({ problem }: ProblemError): Said {
  const texts = common.problem;
  if (problem.reason) return { reason: problem.reason, remedy: problem.remedy };
  if (problem.code === LOCAL_CODES.unreachable) return { reason: texts.unreachable, remedy: texts.unreachableRemedy };
  return { reason: texts.unreadable(problem.status), remedy: texts.unreadableRemedy };
}

/** A failure: what happened, what helps, and what to quote when asking for help. */
export function Problem({ fault, retry }: { fault: unknown; retry?: () => void }) {
  if (fault instanceof Different) return <DifferentNotice different={fault} />;
  const { reason, remedy } = said(fault);
  const problem = fault instanceof ProblemError ? fault.problem : undefined;
  const mild = fault instanceof PasskeyCancelled;
  return (
    <Notice tone={mild ? 'warn' : 'bad'} title={reason} alert>
      {remedy && <p>{remedy}</p>}
      {problem?.errors?.map(({ pointer, detail }) => (
        <p key={pointer}>
          <code>{pointer}</code> {detail}
        </p>
      ))}
      {problem && (
        <p className={styles.noticeFoot}>
          <span>
            {common.problem.code} <code>{problem.code}</code>
          </span>
          {problem.request_id && (
            <span>
              {common.problem.request} <code>{problem.request_id}</code>
            </span>
          )}
        </p>
      )}
      {retry && (
        <p>
          <Button onPress={retry}>{common.retry}</Button>
        </p>
      )}
    </Notice>
  );
}

/** What would be signed is not what is shown: nothing can be signed, and every difference is named. */
function DifferentNotice({ different }: { different: Different }) {
  return (
    <Notice tone="bad" title={common.different.title} alert>
      <p>{common.different.text}</p>
      <ul>
        {different.findings.map(({ what, detail }, position) => (
          <li key={position}>
            <strong>{what}</strong>: <code>{detail}</code>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
