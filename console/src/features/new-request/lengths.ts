/** How long a grant may be asked for. */
import { isObject, type JsonObject } from '../../verify/canonical';

const PRESETS = [300, 900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600];
/** What the command line asks for when nothing is said. */
const USUAL = 900;

/** The longest grant that the entitlement's data names; policy may still make it shorter. */
export function longestOf(data: JsonObject): number | undefined {
  const clocks = isObject(data.clocks) ? data.clocks : {};
  return typeof clocks.grant_seconds === 'number' ? clocks.grant_seconds : undefined;
}

export function usualLength(longest: number | undefined): number {
  return Math.min(longest ?? USUAL, USUAL);
}

/** Lengths to choose among, the shortest first; `asked` is one of them, also when it is too long. */
export function lengthsFor(longest: number | undefined, asked: number): number[] {
  const most = longest ?? PRESETS.at(-1) ?? USUAL;
  const chosen = new Set([...PRESETS.filter((seconds) => seconds <= most), ...(longest === undefined ? [] : [longest]), asked]);
  return [...chosen].sort((left, right) => left - right);
}
