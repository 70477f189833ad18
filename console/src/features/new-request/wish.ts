/** What somebody wants to ask for, as the form holds it, and the draft that it becomes. */
import type { Schema } from '../../client/client';
import type { JsonObject } from '../../verify/canonical';
import { parseSshKey, sshKeyLine } from '../../verify/ssh';
import { moment } from '../../ui/format';
import type { RequestContent } from '../documents/request';
import { valuesOf, type Values } from './form';

export interface Wish {
  values: Values;
  files: readonly Schema<'ArtifactReference'>[];
  /** Names of the files that undo it. */
  undo: readonly string[];
  justification: string;
  ticket: string;
  /** Length of the grant; the usual one when absent. */
  seconds: number | undefined;
  /** Local time as `datetime-local` writes it; at once when empty. */
  start: string;
  /** Somebody's id; oneself when empty. */
  beneficiary: string;
  /** OpenSSH public key line. */
  key: string;
}

export const EMPTY: Wish = { values: {}, files: [], undo: [], justification: '', ticket: '', seconds: undefined, start: '', beneficiary: '', key: '' };

/** Parameters of an address that fill the form in; those of its fields begin with `set.`. */
export const FIELD_PREFIX = 'set.';

/** What an address fills in, such as `?entitlement=ssh-admin&set.host=web-1&reason=…`. It submits nothing. */
export function wishOfAddress(search: Readonly<Record<string, string>>): Wish {
  const fields = Object.entries(search).filter(([name]) => name.startsWith(FIELD_PREFIX));
  const minutes = /^\d{1,6}$/.test(search.minutes ?? '') ? Number(search.minutes) : 0;
  return {
    ...EMPTY,
    values: Object.fromEntries(fields.map(([name, value]) => [name.slice(FIELD_PREFIX.length), value])),
    justification: search.reason ?? '',
    ticket: search.ticket ?? '',
    seconds: minutes > 0 ? minutes * 60 : undefined,
    start: localMoment(search.start ?? ''),
    beneficiary: search.for ?? '',
    key: search.key ?? '',
  };
}

/** What a request asked for, to be changed. `justification` is empty where it was erased. */
export function wishOfRequest(content: RequestContent, justification: string): Wish {
  return {
    values: valuesOf(content.parameters),
    files: content.artifacts,
    undo: content.undo,
    justification,
    ticket: content.ticket ?? '',
    seconds: content.clocks.grant_seconds,
    start: localMoment(content.clocks.not_before ?? ''),
    beneficiary: content.beneficiary.person === content.requester ? '' : content.beneficiary.person,
    key: content.beneficiary.public_key ?? '',
  };
}

/** The body of a draft. Texts are as they were written; what is empty is left out. */
export function draftOf(entitlement: string, wish: Wish, parameters: JsonObject, seconds: number, revises: string | undefined): Schema<'DraftRequest'> {
  return {
    entitlement,
    parameters: parameters as Record<string, never>,
    grant_seconds: seconds,
    ...(wish.files.length > 0 && { artifacts: [...wish.files] }),
    ...(wish.undo.length > 0 && { undo: [...wish.undo] }),
    ...(wish.justification.trim() !== '' && { justification: wish.justification }),
    ...(wish.ticket.trim() !== '' && { ticket: wish.ticket }),
    ...(wish.start !== '' && { not_before: utcMoment(wish.start) }),
    ...(wish.beneficiary !== '' && { beneficiary: wish.beneficiary }),
    ...(plainKey(wish.key) !== undefined && { beneficiary_key: plainKey(wish.key) }),
    ...(revises !== undefined && { revises }),
  };
}

/** `TYPE BASE64` of a public key line, without its comment; `undefined` for an empty one and for what is none. */
export function plainKey(line: string): string | undefined {
  return keyFault(line) === undefined && line.trim() !== '' ? sshKeyLine(parseSshKey(line.trim())) : undefined;
}

/** Why a line is no public key; an empty one is no fault. */
export function keyFault(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  try {
    parseSshKey(line.trim());
    return undefined;
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}

/** RFC 3339 UTC of a local time without a zone. */
export function utcMoment(local: string): string {
  return `${new Date(local).toISOString().slice(0, 19)}Z`;
}

/** The local time of an RFC 3339 UTC time, as `datetime-local` takes it; empty for anything else. */
export function localMoment(utc: string): string {
  const at = moment(utc);
  if (Number.isNaN(at)) return '';
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
