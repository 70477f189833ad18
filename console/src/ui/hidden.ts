/**
 * Characters that are not seen, or that change where others are seen: controls, formats (bidirectional overrides,
 * zero-width), separators, unassigned, private use, surrogates, variation selectors, blanks that look like others.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]|\p{Variation_Selector}|(?! )\p{Zs}/u;

/** A run of plain text, or the name of one hidden character. */
export interface Piece {
  hidden: boolean;
  text: string;
}

/** The text in pieces; line ends and tabs are seen where several lines are. */
export function pieces(text: string, multiline: boolean): Piece[] {
  if (!HIDDEN.test(text)) return text === '' ? [] : [{ hidden: false, text }];
  const found: Piece[] = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') found.push({ hidden: false, text: plain });
    plain = '';
  };
  for (const character of text) {
    if (!HIDDEN.test(character) || (multiline && (character === '\n' || character === '\t'))) {
      plain += character;
      continue;
    }
    flush();
    found.push({ hidden: true, text: `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}` });
  }
  flush();
  return found;
}

/** Whether the text holds a character that would not be seen. */
export function hasHidden(text: string, multiline: boolean): boolean {
  return pieces(text, multiline).some(({ hidden }) => hidden);
}
