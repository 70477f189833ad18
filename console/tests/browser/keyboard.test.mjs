// The whole way of a request with the keyboard alone: no pointer is ever used, and what has the focus can be seen.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { checksOf, flipped, keptDownload, says } from './proving.mjs';
import { story } from './story.mjs';
import { DOWN, UP } from './world.mjs';

let world, ben, cyd, dee, fay, request, digits, evidence;

const test = story('the whole way, with the keyboard alone', async (made) => {
  world = made;
  [ben, cyd, dee, fay] = [world.ben, ...world.rest];
  for (const { context, page } of world.people) {
    await context.clearCookies();
    // While somebody listens, no window of the system opens for files.
    page.on('filechooser', () => {});
    await page.addInitScript(() => {
      for (const kind of ['pointerdown', 'mousedown', 'touchstart']) addEventListener(kind, () => globalThis.reportViolation(`${kind} without a keyboard`), true);
    });
  }
});

const MOST_STOPS = 60;
const bar = (person) => person.page.getByRole('region', { name: 'Your decision' });
const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
const has = (target) => target.evaluate((element) => element === document.activeElement);

// Goes on with Tab until it has the focus, and that can be seen.
async function tabTo(person, target) {
  await target.waitFor();
  for (let stops = 0; !(await has(target)); stops += 1) {
    assert.ok(stops < MOST_STOPS, `${target} is not reached with Tab`);
    await person.page.keyboard.press('Tab');
  }
  assert.ok(await target.evaluate((element) => element.matches(':focus-visible')), `the focus on ${target} can be seen`);
}

async function press(person, ...keys) {
  for (const key of keys) await person.page.keyboard.press(key);
}

async function push(person, name, within = person.page) {
  await tabTo(person, within.getByRole('button', { name }).first());
  await press(person, 'Enter');
}

async function write(person, label, text) {
  await tabTo(person, person.page.getByLabel(label).first());
  await person.page.keyboard.type(text);
}

// Ctrl K, what one wants, Enter.
async function command(person, words, heading) {
  await press(person, 'Control+k');
  await person.page.getByRole('searchbox', { name: /Type a command/ }).waitFor();
  await person.page.keyboard.type(words);
  await press(person, 'ArrowDown', 'Enter');
  await person.page.getByRole('dialog').waitFor({ state: 'detached' });
  await person.page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

// Some screens begin in their search; on the others `/` leads there.
async function search(person, words) {
  const field = person.page.getByRole('searchbox').first();
  await field.waitFor();
  if (!(await has(field))) await press(person, '/');
  await person.page.waitForFunction(() => document.activeElement?.type === 'search');
  await person.page.keyboard.type(words);
}

async function signIn(person) {
  await person.page.goto(`${world.base}/`);
  await push(person, 'Sign in with a passkey');
  await person.page.locator('#main').waitFor();
}

test('one asks', async () => {
  await signIn(ben);
  await command(ben, 'new request', 'New request');
  await search(ben, 'database change');
  await ben.page.getByText('Log in to a server').waitFor({ state: 'detached' });
  await press(ben, 'Enter');
  await ben.heading('Change a database').waitFor();
  await write(ben, 'Database', 'payments');
  await tabTo(ben, ben.page.getByRole('radiogroup', { name: 'Environment' }).getByRole('radio').first());
  await press(ben, 'ArrowRight', 'Space');
  assert.ok(await ben.page.getByRole('radio', { name: 'production' }).isChecked());
  const [chooser] = await Promise.all([ben.page.waitForEvent('filechooser'), push(ben, 'Choose files')]);
  await chooser.setFiles([file('up.sql', UP), file('down.sql', DOWN)]);
  await tabTo(ben, ben.page.getByRole('checkbox', { name: 'down.sql undoes the change' }));
  await press(ben, 'Space');
  await write(ben, 'Reason', 'Order search times out for large customers.');
  await write(ben, 'Ticket', 'OPS-1231');
  await ben.page.getByText('It needs 2 approvals').first().waitFor();
  await push(ben, 'Sign and submit with passkey');
  await ben.page.getByText('It waits for others').waitFor();
  request = new URL(ben.page.url()).pathname.split('/').at(-1);
  digits = await ben.page.getByRole('img', { name: /^Digits for approvers/ }).innerText();
});

async function approve(person) {
  await signIn(person);
  await person.page.getByRole('list', { name: 'Requests' }).getByRole('link').first().waitFor();
  await search(person, 'payments');
  await press(person, 'Tab', 'j', 'k', 'Enter');
  await person.page.getByRole('heading', { level: 1, name: /Ben Booth asks for Change a database/ }).waitFor();
  await push(person, 'Approve …', bar(person));
  await person.page.waitForFunction(() => document.activeElement?.tagName === 'INPUT');
  await person.page.keyboard.type(digits);
  await push(person, 'Approve with passkey', bar(person));
  await bar(person).getByText('Recorded').waitFor();
}

test('two approve', async () => {
  await approve(cyd);
  await approve(dee);
  await ben.page.getByText('Approved: it has not started yet').waitFor();
});

test('whoever asked ends it early', async () => {
  await push(ben, 'Cancel this request');
  await ben.page.waitForFunction(() => document.activeElement?.textContent === 'Cancel the request');
  await press(ben, 'Enter');
  await ben.page.getByRole('list', { name: 'Timeline' }).getByText('Cancelled', { exact: true }).waitFor();
});

test('an auditor finds it', async () => {
  await signIn(fay);
  await command(fay, 'audit', 'Audit');
  await fay.page.getByRole('list', { name: 'Leaves of the log' }).getByRole('link').first().waitFor();
  await search(fay, 'order search');
  await fay.page.getByText(/^\d leaves$/).waitFor();
  await tabTo(fay, fay.page.getByRole('button', { name: 'More filters' }));
  await press(fay, 'j', 'Enter');
  const drawer = fay.page.getByRole('complementary');
  await drawer.getByText('Computed here').waitFor();
  evidence = await keptDownload(fay, world.folder, () => push(fay, 'Download evidence', drawer));
});

async function give(person, label, path) {
  await tabTo(person, person.page.getByLabel(label, { exact: true }));
  const [chooser] = await Promise.all([person.page.waitForEvent('filechooser'), press(person, 'Enter')]);
  await chooser.setFiles(path);
}

test('and proves it', async () => {
  await command(fay, 'verify', 'Verify evidence');
  await give(fay, 'Choose the evidence', evidence);
  await give(fay, 'Choose trust files', join(world.folder, 'data', 'trust', 'trust.json'));
  await says(fay, 'verified');
  assert.equal((await checksOf(fay)).fail, undefined);
  await give(fay, 'Choose the evidence', await flipped(evidence, request));
  await says(fay, 'failed');
});
