/** Which kind of file an artifact is, from its signed name and media type and its text. */

export type ArtifactKind = 'sql' | 'terraform' | 'diff' | 'command' | 'text';

export function kindOf(name: string, mediaType: string, text: string): ArtifactKind {
  if (mediaType === 'application/sql' || /\.sql$/i.test(name)) return 'sql';
  if (isPlan(text)) return 'terraform';
  if (/^text\/x-(diff|patch)$/.test(mediaType) || /\.(diff|patch)$/i.test(name) || /^(--- .*\n\+\+\+ |@@ )/m.test(text)) return 'diff';
  if (/x-sh(ellscript)?$/.test(mediaType) || /\.(sh|bash|cmd)$/i.test(name) || text.startsWith('#!')) return 'command';
  return 'text';
}

const PLAN_LINE = /^Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy\.?/m;

function isPlan(text: string): boolean {
  return PLAN_LINE.test(text) || /^\s*# \S+ (will be|must be) /m.test(text);
}

/** What a plan of Terraform or OpenTofu would do, counted from its lines and not from its own summary. */
export interface PlanCounts {
  add: number;
  change: number;
  destroy: number;
  replace: number;
  /** What its own summary says, when it has one. */
  summary: { add: number; change: number; destroy: number } | undefined;
}

export function planCounts(text: string): PlanCounts {
  const counts = { add: 0, change: 0, destroy: 0, replace: 0 };
  for (const [, what] of text.matchAll(/^\s*# \S.* (will be created|will be updated in-place|will be destroyed|must be replaced|will be replaced)/gm)) {
    if (what === 'will be created') counts.add += 1;
    else if (what === 'will be updated in-place') counts.change += 1;
    else if (what === 'will be destroyed') counts.destroy += 1;
    else counts.replace += 1;
  }
  const said = PLAN_LINE.exec(text);
  const summary = said ? { add: Number(said[2]), change: Number(said[3]), destroy: Number(said[4]) } : undefined;
  return { ...counts, summary };
}

/** Whether the plan's own summary, when it has one, says the same as its lines; a replacement counts twice there. */
export function agrees({ add, change, destroy, replace, summary }: PlanCounts): boolean {
  if (summary === undefined) return true;
  return summary.add === add + replace && summary.change === change && summary.destroy === destroy + replace;
}

export type LineTone = 'added' | 'removed' | 'changed' | 'place' | undefined;

/** What a line of a diff or plan means. */
export function toneOf(kind: ArtifactKind, line: string): LineTone {
  if (kind === 'diff') {
    if (/^(\+\+\+|---|@@|diff )/.test(line)) return 'place';
    if (line.startsWith('+')) return 'added';
    return line.startsWith('-') ? 'removed' : undefined;
  }
  if (kind !== 'terraform') return undefined;
  if (/^\s*(-\/\+|\+\/-|-)( |$)/.test(line)) return 'removed';
  if (/^\s*\+( |$)/.test(line)) return 'added';
  if (/^\s*~( |$)/.test(line)) return 'changed';
  return /^\s*# /.test(line) ? 'place' : undefined;
}

/** Lines of a diff that were added and removed. */
export function diffCounts(text: string): { added: number; removed: number } {
  const tones = text.split('\n').map((line) => toneOf('diff', line));
  return { added: tones.filter((tone) => tone === 'added').length, removed: tones.filter((tone) => tone === 'removed').length };
}

/** What should make one look twice at a command. */
export function commandWarnings(text: string): ('chained' | 'as_root' | 'destroys')[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const found: ('chained' | 'as_root' | 'destroys')[] = [];
  if (lines.length > 1 || lines.some((line) => /[;&|`]|\$\(/.test(line))) found.push('chained');
  if (lines.some((line) => /\b(sudo|doas|su)\b/.test(line))) found.push('as_root');
  if (lines.some((line) => /\b(rm|dd|mkfs|shred|wipefs|truncate|kill|pkill|reboot|shutdown)\b/.test(line))) found.push('destroys');
  return found;
}
