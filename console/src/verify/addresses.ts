/** Address blocks in CIDR notation, each in its one spelling. */

import { refuse } from './shape';

/** The blocks in these comma-separated lists. Throws for what is no block. */
export function addressBlocks(lists: Iterable<string>): Set<string> {
  const each = [...lists].flatMap((text) => text.split(',')).map((text) => text.trim());
  return new Set(each.map((text) => block(text) ?? refuse(`\`${text.slice(0, 64)}\` is no address block`)).sort());
}

function block(text: string): string | undefined {
  const [address, bits, ...rest] = text.split('/');
  if (address === undefined || rest.length > 0) return undefined;
  const groups = ipv4(address) ?? ipv6(address);
  if (groups === undefined) return undefined;
  const width = groups.length === 4 ? 32 : 128;
  if (bits !== undefined && !/^(?:0|[1-9][0-9]{0,2})$/.test(bits)) return undefined;
  const prefix = bits === undefined ? width : Number(bits);
  const size = width / groups.length;
  const number = groups.reduce((sum, group) => (sum << BigInt(size)) | BigInt(group), 0n);
  const beyond = prefix <= width && (number & ((1n << BigInt(width - prefix)) - 1n)) !== 0n;
  if (prefix > width || beyond) return undefined;
  return `${groups.length === 4 ? groups.join('.') : ipv6Text(groups)}/${prefix}`;
}

function ipv4(text: string): number[] | undefined {
  const parts = text.split('.');
  const plain = parts.length === 4 && parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
  return plain ? parts.map(Number) : undefined;
}

/** Eight groups. Addresses that only wrap an IPv4 one are refused: they would match nobody. */
function ipv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, place) => groupsOf(half, place === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])];
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return mapped ? undefined : groups;
}

function groupsOf(half: string, last: boolean): number[] | undefined {
  if (half === '') return [];
  const parts = half.split(':');
  const inner = last ? ipv4(parts.at(-1) ?? '') : undefined;
  const plain = inner === undefined ? parts : parts.slice(0, -1);
  if (!plain.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
  const [a, b, c, d] = inner ?? [];
  const wrapped = a === undefined || b === undefined || c === undefined || d === undefined ? [] : [a * 256 + b, c * 256 + d];
  return [...plain.map((part) => parseInt(part, 16)), ...wrapped];
}

/** The first longest run of at least two zeros is left out (RFC 5952). */
function ipv6Text(groups: readonly number[]): string {
  let [start, length] = [0, 1];
  for (const place of groups.keys()) {
    const run = groups.slice(place).findIndex((group) => group !== 0);
    const found = run < 0 ? groups.length - place : run;
    if (found > length) [start, length] = [place, found];
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return length < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}
