// A screen reads well: no violation of WCAG 2.2 AA or of common practice that axe knows, and nothing that scrolls sideways, in light and dark, wide and narrow.
import assert from 'node:assert/strict';

const SIZES = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];

const RULES = { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };

export async function findsNothing(page, where) {
  const broken = await page.evaluate((rules) => globalThis.axe.run(rules).then(({ violations }) =>
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('; ')}`)), RULES);
  assert.deepEqual(broken, [], where);
}

export async function looksRight(person, name) {
  const { page } = person;
  for (const colorScheme of ['light', 'dark']) for (const size of SIZES) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
    const where = `${name}, ${colorScheme}, ${size.width}`;
    await findsNothing(page, where);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `${where} scrolls sideways`);
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(SIZES[0]);
}
