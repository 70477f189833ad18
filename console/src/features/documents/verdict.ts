/** The verdict: what policy said. Decisions name its digest, so everything read from it here is signed too. */
import type { Schema } from '../../client/client';
import { canonicalize, parseStrict, type Json, type JsonObject } from '../../verify/canonical';
import { sha256Hex } from '../../verify/digest';
import type { Findings } from './findings';
import { count, list, object, optional, points, text } from './shape';

export interface Factor {
  factor: string;
  points: number;
  detail: string;
}

export interface Stage {
  id: string;
  quorum: number;
  from: Json;
  after: string[];
}

export interface Reason {
  rule: string;
  message: string;
  remedy: string;
}

export interface VerdictContent {
  verdict: string;
  risk: { score: number; tier: string; factors: Factor[] };
  stages: Stage[];
  constraints: {
    pending_seconds: number;
    approval_validity_seconds: number;
    grant_seconds: number;
    scopes: Record<string, string[]>;
  };
  obligations: string[];
  reasons: Reason[];
  policy_sha256: string;
  input_sha256: string;
  engine: string;
}

export interface ReadVerdict {
  content: VerdictContent;
  text: string;
  sha256: string;
}

const NEEDED = ['verdict', 'risk', 'stages', 'constraints', 'obligations', 'reasons', 'policy_sha256', 'input_sha256', 'engine'];

/** Reads the verdict from its canonical text, and holds it to its digest, its sum, and the stages that are shown. */
export async function examineVerdict(findings: Findings, view: Schema<'RequestView'>): Promise<ReadVerdict> {
  const canonical = canonicalize(view.verdict);
  const content = readVerdict(findings, object('verdict', parseStrict(canonical)));
  const digest = await sha256Hex(canonical);
  findings.same('verdict digest', digest, view.verdict_sha256);
  const sum = content.risk.factors.reduce((total, factor) => total + factor.points, 0);
  findings.same('sum of the risk factors', content.risk.score, Math.min(100, Math.max(0, sum)));
  const seats = (stages: readonly { id: string; quorum: number }[]) => stages.map(({ id, quorum }) => `${id} × ${quorum}`).sort();
  if (content.verdict !== 'deny') findings.same('stages', seats(content.stages), seats(view.stages));
  return { content, text: canonical, sha256: digest };
}

/** @throws Error when a member is absent or of another type; one that is not known is a finding. */
export function readVerdict(findings: Findings, members: JsonObject): VerdictContent {
  findings.members('verdict', members, NEEDED);
  const risk = findings.members('risk', members.risk, ['score', 'tier', 'factors']);
  return {
    verdict: text('verdict', members.verdict),
    risk: { score: count('score', risk.score), tier: text('tier', risk.tier), factors: list('factors', risk.factors, readFactor) },
    stages: list('stages', members.stages, readStage),
    constraints: readConstraints(object('constraints', members.constraints)),
    obligations: list('obligations', members.obligations, text),
    reasons: list('reasons', members.reasons, readReason),
    policy_sha256: text('policy_sha256', members.policy_sha256),
    input_sha256: text('input_sha256', members.input_sha256),
    engine: text('engine', members.engine),
  };
}

function readConstraints(members: JsonObject): VerdictContent['constraints'] {
  const scopes = Object.entries(optional(members.scopes, (value) => object('scopes', value)) ?? {});
  return {
    pending_seconds: count('pending_seconds', members.pending_seconds),
    approval_validity_seconds: count('approval_validity_seconds', members.approval_validity_seconds),
    grant_seconds: count('grant_seconds', members.grant_seconds),
    scopes: Object.fromEntries(scopes.map(([name, values]) => [name, list(name, values, text)])),
  };
}

function readFactor(_: string, item: Json): Factor {
  const members = object('factor', item);
  return { factor: text('factor', members.factor), points: points('points', members.points), detail: text('detail', members.detail) };
}

function readStage(_: string, item: Json): Stage {
  const members = object('stage', item);
  if (members.from === undefined) throw new Error('a stage names nobody');
  return { id: text('stage', members.id), quorum: count('quorum', members.quorum), from: members.from, after: list('after', members.after, text) };
}

function readReason(_: string, item: Json): Reason {
  const members = object('reason', item);
  return { rule: text('rule', members.rule), message: text('message', members.message), remedy: text('remedy', members.remedy) };
}
