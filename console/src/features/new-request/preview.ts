/** What policy would say of a draft, and of drafts that differ from it in one thing. Nothing of it is signed. */
import type { Schema } from '../../client/client';
import { parseStrict, canonicalize } from '../../verify/canonical';
import { Findings } from '../documents/findings';
import { object } from '../documents/shape';
import { readVerdict, type VerdictContent } from '../documents/verdict';

export interface Preview {
  verdict: VerdictContent;
  stages: readonly Schema<'StageView'>[];
  missing: readonly Schema<'Missing'>[];
  /** How many approvals it would need in all. */
  approvals: number;
}

/** @throws Error for a verdict that cannot be read. */
export function readPreview({ verdict, stages, missing }: Schema<'Preview'>): Preview {
  const content = readVerdict(new Findings(), object('verdict', parseStrict(canonicalize(verdict))));
  return { verdict: content, stages, missing, approvals: stages.reduce((sum, { quorum }) => sum + quorum, 0) };
}

/** Whether both say the same of what the requester has to expect: the outcome, who must approve, and for how long. */
export function isSamePreview(left: Preview, right: Preview): boolean {
  const told = ({ verdict, stages, missing }: Preview) => [
    verdict.verdict,
    verdict.constraints,
    stages.map(({ id, quorum }) => [id, quorum]),
    missing.map(({ code }) => code),
  ];
  return JSON.stringify(told(left)) === JSON.stringify(told(right));
}

/** A draft that differs from the one at hand in one thing. */
export type Variant = { draft: Schema<'DraftRequest'> } & ({ kind: 'undo' | 'no_undo'; name: string } | { kind: 'shorter'; seconds: number });

const MOST_VARIANTS = 2;
const SHORT = [3600, 900, 300];
const UNDOES = /undo|down|rollback|revert|back|inverse/i;

/** What is worth asking policy as well. */
export function variantsOf(draft: Schema<'DraftRequest'>): Variant[] {
  const found: Variant[] = [];
  const files = draft.artifacts ?? [];
  const named = draft.undo ?? [];
  const likely = files.find(({ name }) => UNDOES.test(name)) ?? files.at(-1);
  if (named.length === 0 && likely && files.length > 1) found.push({ kind: 'undo', name: likely.name, draft: { ...draft, undo: [likely.name] } });
  const { undo: _, ...without } = draft;
  if (named.length > 0) found.push({ kind: 'no_undo', name: named.join(', '), draft: without });
  const shorter = SHORT.find((seconds) => seconds < draft.grant_seconds);
  if (shorter !== undefined) found.push({ kind: 'shorter', seconds: shorter, draft: { ...draft, grant_seconds: shorter } });
  return found.slice(0, MOST_VARIANTS);
}

/** Whether policy says something else of the variant, and if that is less trouble. */
export function compare(now: Preview, other: Preview): 'easier' | 'harder' | 'same' {
  const trouble = ({ verdict, approvals, missing }: Preview) => (verdict.verdict === 'deny' || missing.length > 0 ? Infinity : approvals);
  const [here, there] = [trouble(now), trouble(other)];
  if (here === there) return 'same';
  return there < here ? 'easier' : 'harder';
}
