import { useMemo, useState } from 'react';
import type { Schema } from '../../client/client';
import { newRequest as texts } from '../../strings/new-request';
import { isObject, type JsonObject } from '../../verify/canonical';
import { faultsOf } from './faults';
import { fieldId } from './form-fields';
import { fieldsOf, parametersOf, type Field } from './form';
import { longestOf, usualLength } from './lengths';
import { draftOf, keyFault, type Wish } from './wish';

export interface Form {
  fields: readonly Field[];
  wish: Wish;
  change: (change: (wish: Wish) => Partial<Wish>) => void;
  /** Faults of fields that somebody has been in. */
  shownFaults: ReadonlyMap<string, string>;
  keyFault: string | undefined;
  /** What is needed before policy can be asked. */
  incomplete: readonly { label: string; id: string | undefined }[];
  /** What would be drafted; absent while something is incomplete. */
  draft: Schema<'DraftRequest'> | undefined;
  seconds: number;
  longest: number | undefined;
  /** Names that the form was filled in with and does not have. */
  leftOut: readonly string[];
}

export const KEY_ID = 'request-key';

/** The state of the form, and what it says so far. */
export function useForm(entitlement: Schema<'EntitlementView'>, initial: Wish, revises: string | undefined): Form {
  const form = entitlement.form as JsonObject;
  const data = entitlement.data as JsonObject;
  const fields = useMemo(() => fieldsOf(form), [form]);
  const [wish, setWish] = useState(initial);
  const [seen, setSeen] = useState<ReadonlySet<string>>(() => new Set(Object.keys(initial.values)));
  const parameters = parametersOf(fields, wish.values);
  const faults = faultsOf(form, fields, parameters);
  const longest = longestOf(data);
  const seconds = wish.seconds ?? usualLength(longest);
  const wrongKey = keyFault(wish.key);
  const incomplete = [
    ...fields.filter(({ name }) => faults.fields.has(name)).map(({ name, label }) => ({ label, id: fieldId(name) })),
    ...faults.others.map((label) => ({ label, id: undefined })),
    ...(wrongKey === undefined ? [] : [{ label: texts.key.label, id: KEY_ID }]),
  ];
  const change: Form['change'] = (changed) => {
    setWish((before) => ({ ...before, ...changed(before) }));
    const after = changed(wish).values;
    const names = fields.map(({ name }) => name).filter((name) => after && after[name] !== wish.values[name]);
    if (names.length > 0) setSeen((before) => new Set([...before, ...names]));
  };
  return {
    fields,
    wish,
    change,
    shownFaults: new Map([...faults.fields].filter(([name]) => seen.has(name))),
    keyFault: wrongKey,
    incomplete,
    draft: incomplete.length === 0 ? draftOf(entitlement.name, wish, parameters, seconds, revises) : undefined,
    seconds,
    longest,
    leftOut: Object.keys(initial.values).filter((name) => !fields.some((field) => field.name === name)),
  };
}

/** Whether what is granted is an SSH certificate, which is bound to a key. */
export function needsKey(entitlement: Schema<'EntitlementView'>): boolean {
  const { connector } = entitlement.data as JsonObject;
  return isObject(connector) && isObject(connector.ssh);
}
