/** What is believed beforehand: each version of the trust root, and who signed it. */

import type { Lineage } from '../src/verify/lineage';
import { element, time } from './dom';

export function drawBelieved({ accepted }: Lineage): HTMLElement {
  const rows = accepted.flatMap(({ root: { document, sha256 }, signers }) => [
    element('dt', {}, `Version ${document.version}`),
    element('dd', {}, element('code', {}, sha256), ', sealed ', time(document.created_at), signers.length === 0 ? HANDED_OVER : `, signed by ${signers.join(', ')}`),
  ]);
  const hint = 'Each later version was signed by administrators of the one before and by its own. Compare one of these digests with what you were told.';
  return element('section', { class: 'card' }, element('h2', {}, 'What is believed'), element('p', { class: 'hint' }, hint), element('dl', {}, ...rows));
}

const HANDED_OVER = ', signed by nobody: it is believed because it was handed to you';
