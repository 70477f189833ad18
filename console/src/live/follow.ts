/** Keeps one event stream open for as long as the session lasts. */
import { ProblemError, problemOf } from '../client/client';
import { MessageReader, noticeOf, Place, type Notice } from './stream';

/** Whether what is shown is up to date by itself. */
export type Connection = 'connecting' | 'live' | 'interrupted';

/** What a follower is told. */
export interface Follower {
  /** A stream opened; `afresh` when events before it may have been missed. */
  opened(afresh: boolean): void;
  notice(notice: Notice): void;
  connection(connection: Connection): void;
  /** The session is over; nothing follows. */
  signedOut(): void;
}

const SILENCE_MS = 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Follows until `signal` aborts or the session is over. */
export async function follow(follower: Follower, signal: AbortSignal): Promise<void> {
  const place = new Place();
  let wait = FIRST_WAIT_MS;
  follower.connection('connecting');
  while (!signal.aborted) {
    const ended = await stream(follower, place, signal, () => {
      wait = FIRST_WAIT_MS;
    });
    if (signal.aborted) return;
    if (ended.signedOut) {
      follower.signedOut();
      return;
    }
    follower.connection('interrupted');
    await pause(Math.max(wait, ended.retryAfter), signal);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

interface Ended {
  signedOut: boolean;
  retryAfter: number;
}

/** One connection, until it ends for any reason. */
async function stream(follower: Follower, place: Place, signal: AbortSignal, opened: () => void): Promise<Ended> {
  const silence = new Silence();
  const ended = { signedOut: false, retryAfter: 0 };
  try {
    const response = await open(place.last, AbortSignal.any([signal, silence.signal]));
    opened();
    follower.opened(place.last === undefined);
    follower.connection('live');
    const messages = new MessageReader();
    const text = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await text?.read(); piece && !piece.done; piece = await text?.read()) {
      silence.broken();
      for (const message of messages.read(piece.value)) {
        const notice = noticeOf(message);
        if (!place.accepts(notice)) continue;
        follower.notice(notice);
        if (notice.kind === 'end' && notice.reason === 'session_over') ended.signedOut = true;
      }
    }
  } catch (fault) {
    // A connection that failed is opened again; only the server's own words change how.
    if (fault instanceof ProblemError) {
      ended.signedOut = fault.problem.status === 401;
      ended.retryAfter = fault.retryAfterMs;
    }
  } finally {
    silence.stop();
  }
  return ended;
}

async function open(last: number | undefined, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = last === undefined ? {} : { 'last-event-id': String(last) };
  const response = await fetch('/api/v1/events', { headers, signal, cache: 'no-store', redirect: 'error' });
  if (response.ok) return response;
  throw problemOf(response, await response.json().catch(() => undefined));
}

/** Aborts when nothing came for too long, not even a heartbeat: such a connection is dead. */
class Silence {
  private readonly controller = new AbortController();
  private timer = setTimeout(() => this.controller.abort(), SILENCE_MS);
  readonly signal = this.controller.signal;

  broken(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(), SILENCE_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const now = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', now, { once: true });
    addEventListener('online', now, { once: true, signal });
  });
}
