/** What is searched for: it stands in the address, and is what a saved search keeps. */

export interface AuditFilter {
  text?: string | undefined;
  /** A stream, or how its name begins. */
  stream?: string | undefined;
  /** A kind, or how it begins. */
  kind?: string | undefined;
  person?: string | undefined;
  /** RFC 3339 UTC. */
  since?: string | undefined;
  until?: string | undefined;
  order?: 'oldest' | undefined;
}

export interface AuditSearch extends AuditFilter {
  /** The leaf whose content is shown. */
  leaf?: number | undefined;
}

const TEXTS = ['text', 'stream', 'kind', 'person'] as const;
const MOMENTS = ['since', 'until'] as const;

/** From an address or from what a browser kept; what means nothing is left out. */
export function readSearch(search: Record<string, unknown>): AuditSearch {
  const found: AuditSearch = {};
  for (const name of TEXTS) {
    const value = search[name];
    if (typeof value === 'string' && value !== '') found[name] = value;
  }
  for (const name of MOMENTS) {
    const value = search[name];
    if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) && !Number.isNaN(Date.parse(value))) found[name] = value;
  }
  if (search.order === 'oldest') found.order = 'oldest';
  const leaf = typeof search.leaf === 'number' ? search.leaf : /^\d{1,15}$/.test(String(search.leaf)) ? Number(search.leaf) : NaN;
  if (Number.isSafeInteger(leaf) && leaf >= 0) found.leaf = leaf;
  return found;
}

/** The filter without the leaf that is looked at. */
export function filterOf({ leaf: _, ...filter }: AuditSearch): AuditFilter {
  return filter;
}

export function isEmpty(filter: AuditFilter): boolean {
  return Object.values(filterOf(filter)).every((value) => value === undefined);
}

export type AuditQuery = { limit: string; order?: string; from?: string } & Partial<Record<(typeof TEXTS)[number] | (typeof MOMENTS)[number], string>>;

/** As the server is asked; newest first unless the filter says otherwise. */
export function queryOf(filter: AuditFilter, limit: number, from: number | undefined): AuditQuery {
  const query: AuditQuery = { limit: String(limit), ...(filter.order !== 'oldest' && { order: 'newest' }) };
  for (const name of [...TEXTS, ...MOMENTS]) {
    const value = filter[name];
    if (value !== undefined) query[name] = value;
  }
  if (from !== undefined) query.from = String(from);
  return query;
}

/** For an input of type `datetime-local`: the moment on this computer's clock. */
export function toLocalInput(utc: string | undefined): string {
  if (utc === undefined) return '';
  const at = new Date(utc);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What such an input says, as RFC 3339 UTC. */
export function fromLocalInput(local: string): string | undefined {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? undefined : `${at.toISOString().slice(0, 19)}Z`;
}
