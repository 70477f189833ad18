/** The search as one table (RFC 4180), page by page. */
import { ProblemError, problemOf } from '../../client/client';
import { queryOf, type AuditFilter } from './search';

const PAGE = 200;

/** One page of the table, and where to go on. */
export interface TablePage {
  text: string;
  next: number | undefined;
}

/** Gives a page from a leaf on. */
export type AskPage = (from: number | undefined) => Promise<TablePage>;

/** All pages under one head; `progress` hears how many leaves there are so far. */
export async function wholeTable(ask: AskPage, progress: (leaves: number) => void, signal: AbortSignal): Promise<string> {
  let table = '';
  let leaves = 0;
  for (let from: number | undefined, first = true; first || from !== undefined; first = false) {
    signal.throwIfAborted();
    const page = await ask(from);
    const end = page.text.indexOf('\r\n') + 2;
    if (end < 2) throw new Error('the table has no head');
    table += first ? page.text : page.text.slice(end);
    leaves += records(page.text.slice(end));
    progress(leaves);
    from = page.next;
  }
  return table;
}

/** Records are ended by CRLF outside of quotes. */
function records(text: string): number {
  return text.replace(/"[^"]*"/g, '').split('\r\n').length - 1;
}

/** Where the next page begins, as `Link` says it (RFC 8288). */
export function nextOf(link: string | null): number | undefined {
  const from = /<\?from=(\d+)>;\s*rel="next"/.exec(link ?? '')?.[1];
  return from === undefined ? undefined : Number(from);
}

/** From this server. */
export const fromServer =
  (filter: AuditFilter, signal: AbortSignal): AskPage =>
  async (from) => {
    const query = new URLSearchParams(queryOf(filter, PAGE, from));
    const init: RequestInit = { credentials: 'same-origin', cache: 'no-store', redirect: 'error', headers: { accept: 'text/csv' }, signal };
    const response = await fetch(`/api/v1/audit?${query}`, init);
    if (!response.ok) throw problemOf(response, await response.json().catch(() => undefined));
    const kind = response.headers.get('content-type') ?? '';
    if (!kind.startsWith('text/csv')) throw new ProblemError({ status: response.status, code: 'answer_unreadable', reason: '', remedy: '', request_id: '', errors: [] });
    return { text: await response.text(), next: nextOf(response.headers.get('link')) };
  };
