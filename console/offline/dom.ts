/** Elements, made of text alone: nothing that stands in evidence is ever parsed as HTML. */

type Child = Node | string;

/** An element with attributes and children. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Text with the parts between backticks as code. */
export function prose(text: string): Child[] {
  return text.split('`').map((part, place) => (place % 2 === 1 ? element('code', {}, visible(part)) : visible(part)));
}

/** Text in which characters that hide or turn around are shown by number. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, (hidden) => `⟨U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

/** The element of this id; the page has it. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no \`${id}\``);
  return found;
}

/** A time as UTC, with the place's own time when the pointer rests on it. */
export function time(seconds: number): HTMLElement {
  const moment = new Date(seconds * 1000);
  const utc = moment.toISOString().replace('T', ' ').replace('.000Z', ' UTC');
  return element('time', { datetime: moment.toISOString(), title: moment.toLocaleString() }, utc);
}
