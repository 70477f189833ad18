/** Server-sent events (WHATWG HTML, section 9.2) over `fetch`, so that a stream can begin where the last one ended. */

/** One event as it came. */
export interface Message {
  event: string;
  id: string;
  data: string;
}

/** Reads a stream of text in pieces of any length. */
export class MessageReader {
  private rest = '';
  private event = '';
  private id = '';
  private data: string[] = [];

  /** The events that are whole after this piece. */
  read(piece: string): Message[] {
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.line(line) ?? []);
  }

  private line(line: string): Message | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.event = value;
    if (name === 'data') this.data.push(value);
    if (name === 'id' && !value.includes('\0')) this.id = value;
    return undefined;
  }

  private dispatch(): Message | undefined {
    const message = { event: this.event || 'message', id: this.id, data: this.data.join('\n') };
    const empty = this.data.length === 0;
    this.event = '';
    this.data = [];
    return empty ? undefined : message;
  }
}

/** An event of the log (CloudEvents 1.0), as far as the console uses it. */
export interface LogEvent {
  index: number;
  kind: string;
  stream: string;
  state: string | undefined;
}

/** What the stream says, in the order of the log. */
export type Notice =
  | { kind: 'event'; event: LogEvent }
  | { kind: 'gap'; from: number; to: number }
  | { kind: 'end'; reason: string };

/** Why a message cannot be followed. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
}

/**
 * What a message means.
 *
 * @throws StreamError for a message that is not one of the three kinds (crates/api, `event`).
 */
export function noticeOf(message: Message): Notice {
  const data: unknown = JSON.parse(message.data);
  if (!isRecord(data)) throw new StreamError('event data is no object');
  if (message.event === 'gap') return { kind: 'gap', from: index(data.from), to: index(data.to) };
  if (message.event === 'end') return { kind: 'end', reason: String(data.reason) };
  if (message.event !== 'event') throw new StreamError(`unknown event \`${message.event}\``);
  const state = isRecord(data.data) && typeof data.data.state === 'string' ? data.data.state : undefined;
  return { kind: 'event', event: { index: index(data.id), kind: String(data.type), stream: String(data.subject), state } };
}

/** Where a reader stands in the log: nothing before it is taken twice. */
export class Place {
  /** The last leaf index that was seen; `undefined` before the first. */
  last: number | undefined;

  /** Whether the notice is new here. What was seen before, such as a repeated event, is not. */
  accepts(notice: Notice): boolean {
    if (notice.kind === 'end') return true;
    const seen = notice.kind === 'gap' ? notice.to - 1 : notice.event.index;
    if (this.last !== undefined && seen <= this.last) return false;
    this.last = seen;
    return true;
  }
}

function index(value: unknown): number {
  const read = Number(value);
  if (!Number.isSafeInteger(read) || read < 0 || value === '') throw new StreamError('leaf index is no number');
  return read;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
