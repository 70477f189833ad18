/** What an invitation says the person starts with, read from what was typed. */

export interface Invited {
  roles: string[];
  attributes: Record<string, string>;
  /** The first line that is no attribute. */
  wrong: string | undefined;
}

export function readInvitation(roles: string, attributes: string): Invited {
  const lines = attributes.split('\n').map((line) => line.trim()).filter(Boolean);
  const pairs = lines.map((line) => /^([^=\s]+)\s*=\s*(.+)$/.exec(line));
  return {
    roles: [...new Set(roles.split(/[\s,]+/).filter(Boolean))],
    attributes: Object.fromEntries(pairs.flatMap((pair) => (pair?.[1] && pair[2] ? [[pair[1], pair[2]]] : []))),
    wrong: lines.find((_, position) => !pairs[position]),
  };
}
