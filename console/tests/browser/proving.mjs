// Evidence as a file, and what the screen says when it verified it.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export async function keptDownload(person, folder, begin) {
  const [download] = await Promise.all([person.page.waitForEvent('download'), begin()]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

// As from a file manager: the browser itself reads the file.
export async function drop(person, title, path) {
  const zone = person.page.locator('section').filter({ has: person.page.getByRole('heading', { name: title, exact: true }) });
  await zone.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await zone.boundingBox();
  const developer = await person.context.newCDPSession(person.page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await developer.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data });
  }
  await developer.detach();
}

// Waits until the screen says of the whole that it verified, or that it failed.
export function says(person, outcome) {
  const title = { verified: 'Verified, as far as a browser can', failed: 'Verification failed' }[outcome];
  return person.page.getByRole('alert').getByText(title, { exact: true }).waitFor();
}

// Names of the checks by how they went.
export function checksOf(person) {
  return person.page.locator('[data-check]').evaluateAll((rows) => {
    const by = {};
    for (const { dataset: { state, check } } of rows) (by[state] ??= []).push(check);
    return by;
  });
}

// A copy of which one byte of a text in it is another.
export async function flipped(path, text) {
  const bytes = await readFile(path);
  const at = bytes.indexOf(text);
  assert.ok(at > 0, 'the text stands in the file as it is');
  bytes[at] ^= 1;
  const copy = path.replace(/\.zip$/, '-flipped.zip');
  await writeFile(copy, bytes);
  return copy;
}
