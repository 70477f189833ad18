import { queryOptions, useQueries, useQuery, keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { answered, api, type Schema } from '../../client/client';
import { compare, readPreview, variantsOf, type Preview, type Variant } from './preview';

type Draft = Schema<'DraftRequest'>;

const REST_MS = 400;
const KEPT_MS = 60_000;

/** What policy would say of a draft now. */
export const draftQuery = (draft: Draft) =>
  queryOptions({
    queryKey: ['draft', draft],
    queryFn: async () => readPreview((await answered(api.POST('/api/v1/drafts', { body: draft }))).preview),
    staleTime: KEPT_MS,
    gcTime: KEPT_MS,
    retry: false,
    refetchOnWindowFocus: false,
  });

/** A draft that is easier or harder than the one at hand. */
export interface Alternative {
  variant: Variant;
  preview: Preview;
  against: 'easier' | 'harder';
}

export interface Previewed {
  preview: Preview | undefined;
  /** Whether `preview` is of exactly this draft. */
  current: boolean;
  fault: unknown;
  alternatives: Alternative[];
  retry: () => void;
}

/** Asks policy as somebody types, once they rest; and then whether one thing done otherwise would matter. */
export function usePreview(draft: Draft | undefined): Previewed {
  const rested = useRested(draft);
  const asked = useQuery({ ...draftQuery(rested ?? { entitlement: '', grant_seconds: 0 }), enabled: rested !== undefined, placeholderData: keepPreviousData });
  const current = rested !== undefined && same(rested, draft) && asked.isSuccess && !asked.isPlaceholderData;
  const variants = current ? variantsOf(rested) : [];
  const others = useQueries({ queries: variants.map((variant) => draftQuery(variant.draft)) });
  const alternatives = variants.flatMap((variant, position) => {
    const preview = others[position]?.data;
    if (!preview || !asked.data) return [];
    const against = compare(asked.data, preview);
    // A longer wait for nothing is no advice: what is harder is told only where something was done to avoid it.
    return against === 'easier' || (against === 'harder' && variant.kind === 'no_undo') ? [{ variant, preview, against }] : [];
  });
  return { preview: rested && asked.data, current, fault: rested && asked.error, alternatives, retry: () => void asked.refetch() };
}

/** The draft once nothing has changed in it for a moment. */
function useRested(draft: Draft | undefined): Draft | undefined {
  const text = JSON.stringify(draft);
  const [rested, setRested] = useState(draft);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text === undefined ? undefined : (JSON.parse(text) as Draft)), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}

function same(left: Draft, right: Draft | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
