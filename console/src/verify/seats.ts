/**
 * One human, one seat: whether distinct people can fill every stage, and who then sits where. A request is approved when
 * a bipartite matching of distinct approvers onto all seats exists.
 */

import type { Stage } from './documents';
import type { Seating } from './events';

/** A person and the stages in which they may sit, in the order of the log. */
export interface Claim {
  person: string;
  stages: ReadonlySet<string>;
}

interface Edge {
  person: string;
  stages: Set<string>;
}

/** Who sits where when every seat is filled; `undefined` when not. */
export function fill(stages: readonly Stage[], claims: readonly Claim[]): Seating | undefined {
  // INVARIANT: where nobody is asked, nobody has approved. No stage, or one without a seat, is never filled.
  if (stages.length === 0 || stages.some((stage) => stage.quorum === 0)) return undefined;
  return matching(stages, admitted(stages, claims), () => true);
}

/** Whether both put the same people into the same seats. */
export function sameSeating(left: Seating, right: Seating): boolean {
  const same = ([stage, people]: [string, Set<string>]): boolean => {
    const others = right.get(stage);
    return others !== undefined && others.size === people.size && [...people].every((person) => others.has(person));
  };
  return left.size === right.size && [...left].every(same);
}

/** A claim on a stage counts once the stages before it are filled. */
function admitted(stages: readonly Stage[], claims: readonly Claim[]): Edge[] {
  const edges: Edge[] = [];
  for (const claim of claims) {
    const inTurn = stages.filter((stage) => claim.stages.has(stage.id) && [...stage.after].every((before) => closed(stages, edges, before)));
    const ids = inTurn.map((stage) => stage.id);
    const known = edges.find((edge) => edge.person === claim.person);
    // INVARIANT: one human has one edge, however often they approve, so they can fill one seat at most.
    if (known === undefined) edges.push({ person: claim.person, stages: new Set(ids) });
    else ids.forEach((id) => known.stages.add(id));
  }
  return edges;
}

/** Whether a stage and all before it are filled together. */
function closed(stages: readonly Stage[], edges: readonly Edge[], id: string): boolean {
  const wanted = new Set([id]);
  for (const next of wanted) {
    const stage = stages.find((one) => one.id === next);
    if (stage === undefined) return false;
    // What is added to a set while it is walked through is walked through as well.
    stage.after.forEach((before) => wanted.add(before));
  }
  return matching(stages, edges, (stage) => wanted.has(stage)) !== undefined;
}

function matching(stages: readonly Stage[], edges: readonly Edge[], wanted: (stage: string) => boolean): Seating | undefined {
  const seats = stages
    .filter((stage) => wanted(stage.id))
    .flatMap((stage) => Array.from({ length: Math.min(stage.quorum, edges.length + 1) }, () => stage.id));
  if (seats.length > edges.length) return undefined;
  const taken = new Map<number, number>();
  for (const seat of seats.keys()) if (!augment(seat, seats, edges, taken, new Set())) return undefined;
  const seating: Seating = new Map();
  for (const [person, seat] of taken) {
    const [stage, edge] = [seats[seat], edges[person]];
    if (stage !== undefined && edge !== undefined) seating.set(stage, new Set([...(seating.get(stage) ?? []), edge.person]));
  }
  return seating;
}

/** Finds somebody for the seat, moving others to other seats where that helps. */
function augment(seat: number, seats: readonly string[], edges: readonly Edge[], taken: Map<number, number>, visited: Set<number>): boolean {
  const stage = seats[seat];
  if (stage === undefined) return false;
  for (const [person, edge] of edges.entries()) {
    if (!edge.stages.has(stage) || visited.has(person)) continue;
    visited.add(person);
    const other = taken.get(person);
    if (other === undefined || augment(other, seats, edges, taken, visited)) {
      taken.set(person, seat);
      return true;
    }
  }
  return false;
}
