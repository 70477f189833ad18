/** Why an act cannot be signed here and now. */
import { admin } from '../../strings/admin';
import { needsComparison } from './act-document';
import type { OpenAct } from './use-signature';

/** What was typed against the fingerprint of the key that waits. */
export type Comparison = 'open' | 'same' | 'different';

const DIGITS = 20;

/** Only hexadecimal digits count; spaces, hyphens and case do not. */
export function compareFingerprint(typed: string, fingerprint: string): { comparison: Comparison; left: number } {
  const digits = typed.toLowerCase().replace(/[\s-]/g, '');
  const wanted = fingerprint.replaceAll(' ', '');
  if (!wanted.startsWith(digits) || wanted.length !== DIGITS) return { comparison: 'different', left: 0 };
  const left = DIGITS - digits.length;
  return { comparison: left === 0 ? 'same' : 'open', left };
}

interface Now {
  reader: string;
  comparison: Comparison;
  over: boolean;
}

/** The first reason; `undefined` when it can be signed. */
export function obstacleTo({ read, signedBy }: OpenAct, { reader, comparison, over }: Now): string | undefined {
  const text = admin.act.obstacles;
  if (signedBy.includes(reader)) return text.signed;
  if (!read.allowed) return text.notOffered;
  if (over) return text.over;
  if (read.disclosed.concealed > 0) return text.concealed;
  if (read.act.kind === 'person.created' && typeof read.disclosed.values.get('name') !== 'string') return text.nameless;
  if (!needsComparison(read.act, reader) || comparison === 'same') return undefined;
  return comparison === 'different' ? text.different : text.compare;
}
