/** The server's API, typed by its own description (`npm run client`). Every failure is a {@link ProblemError}. */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

/** A type of the API by its name. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

type Details = Pick<Schema<'Problem'>, 'status' | 'code' | 'reason' | 'remedy' | 'request_id' | 'errors'>;

/** An answer that is no success (RFC 9457). Status 0 means that no answer came. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly problem: Details,
    /** How long to wait before asking again, when the server said so. */
    readonly retryAfterMs = 0,
  ) {
    super(problem.reason);
  }
}

/** Codes of problems that are found on this side; all others are the server's (docs/spec/http.md). */
export const LOCAL_CODES = { unreachable: 'server_unreachable', unreadable: 'answer_unreadable' } as const;

/** Use with {@link answered}. Nothing is cached by the browser, and no redirect is followed. */
export const api = createClient<paths>({
  credentials: 'same-origin',
  cache: 'no-store',
  redirect: 'error',
  fetch: (request) => fetch(request),
});

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/**
 * The content of a successful answer.
 *
 * @throws ProblemError
 */
export async function answered<Data>(pending: Promise<Answer<Data>>): Promise<NonNullable<Data>> {
  const { data, error, response } = await pending.catch((fault: unknown) => {
    throw unreachable(fault);
  });
  if (!response.ok) throw problemOf(response, error);
  return data as NonNullable<Data>;
}

/**
 * The bytes of a file.
 *
 * @throws ProblemError
 */
export async function answeredBytes(pending: Promise<Answer<unknown>>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array((await answered(pending as Promise<Answer<ArrayBuffer>>)) as ArrayBuffer);
}

/** What a failed answer says; an answer that is no problem document still has a status. */
export function problemOf(response: Pick<Response, 'status' | 'headers'>, body: unknown): ProblemError {
  const said = isProblem(body) ? body : undefined;
  const details = {
    status: response.status,
    code: said?.code ?? LOCAL_CODES.unreadable,
    reason: said?.reason ?? '',
    remedy: said?.remedy ?? '',
    request_id: said?.request_id ?? response.headers.get('x-request-id') ?? '',
    errors: said?.errors ?? [],
  };
  const seconds = Number(response.headers.get('retry-after'));
  return new ProblemError(details, Number.isFinite(seconds) ? seconds * 1000 : 0);
}

/** Whether nobody is signed in, or the session ended. */
export function isSignedOut(fault: unknown): boolean {
  return fault instanceof ProblemError && fault.problem.status === 401;
}

function unreachable(fault: unknown): ProblemError {
  const reason = fault instanceof SyntaxError ? LOCAL_CODES.unreadable : LOCAL_CODES.unreachable;
  return new ProblemError({ status: 0, code: reason, reason: '', remedy: '', request_id: '', errors: [] });
}

function isProblem(body: unknown): body is Partial<Details> {
  return typeof body === 'object' && body !== null && 'code' in body;
}
