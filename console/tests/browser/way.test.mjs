// The whole way of a request: asked, decided by two, granted, ended early, and proved to somebody who trusts nobody here.
import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { looksRight } from './looks.mjs';
import { checksOf, drop, flipped, keptDownload, says } from './proving.mjs';
import { story } from './story.mjs';
import { DOWN, signIn, UP } from './world.mjs';

let world, ben, cyd, dee, fay, request, digits, evidence, early;

const test = story('the whole way', async (made) => {
  world = made;
  [ben, cyd, dee, fay] = [world.ben, ...world.rest];
});

const preview = () => ben.page.getByRole('complementary', { name: 'What would come of it' });
const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
const bar = (person) => person.page.getByRole('region', { name: 'Your decision' });
const act = (person, name) => bar(person).getByRole('button', { name });

test('one asks through the form, and sees what would come of it before signing', async () => {
  await signIn(ben);
  await ben.page.getByRole('link', { name: 'New request' }).first().click();
  await ben.page.getByText('Change a database').first().click();
  await ben.page.getByLabel('Database').fill('payments');
  await ben.page.getByRole('radiogroup', { name: 'Environment' }).getByText('production', { exact: true }).click();
  await preview().getByText('Policy would deny this').waitFor();
  const [chooser] = await Promise.all([ben.page.waitForEvent('filechooser'), ben.button('Choose files').click()]);
  await chooser.setFiles([file('up.sql', UP), file('down.sql', DOWN)]);
  await ben.page.getByRole('checkbox', { name: 'down.sql undoes the change' }).check({ force: true });
  await ben.page.getByLabel('Reason').fill('Order search times out since 10:40.');
  await ben.page.getByLabel('Ticket').fill('OPS-1230');
  await preview().getByText('It needs 2 approvals').waitFor();
  const said = await preview().innerText();
  for (const part of ['Cyd Crane', 'Dee Drake', 'of 100']) assert.ok(said.includes(part), `${part} is not in ${said}`);
});

test('the passkey signs, and the digits for approvers are shown', async () => {
  await ben.button('Sign and submit with passkey').click();
  await ben.page.getByText('It waits for others').waitFor();
  request = new URL(ben.page.url()).pathname.split('/').at(-1);
  await ben.page.getByText(`chancery request wait ${request}`).waitFor();
  digits = await ben.page.getByRole('img', { name: /^Digits for approvers/ }).innerText();
  assert.match(digits, /^\d\d$/);
});

// Each in a browser of their own.
async function approve(person) {
  await signIn(person);
  await person.page.getByRole('list', { name: 'Requests' }).getByRole('link', { name: /Ben Booth asks for Change a database/ }).click();
  await person.heading(/Ben Booth asks for Change a database/).waitFor();
  const text = await person.page.locator('main').innerText();
  for (const part of ['payments', 'production', 'CREATE INDEX', 'DROP COLUMN', 'times out since 10:40', 'OPS-1230']) assert.ok(text.includes(part), part);
  const signed = await person.signatures();
  await act(person, 'Approve …').click();
  await bar(person).getByLabel('Digits that the requester has').fill(digits);
  await act(person, 'Approve with passkey').click();
  await bar(person).getByText('Recorded').waitFor();
  assert.equal(await person.signatures(), signed + 1);
}

test('two approvers review and sign, each in a browser of their own', async () => {
  await approve(cyd);
  await ben.page.getByText(/^Still needed: service_owner/).waitFor();
  await approve(dee);
});

test('the requester sees it granted, with every step on its timeline', async () => {
  await ben.page.getByText('Approved: it has not started yet').waitFor();
  const timeline = ben.page.getByRole('list', { name: 'Timeline' });
  for (const step of ['Submitted', 'Looked at', 'Policy decided', 'Approved']) await timeline.getByText(step, { exact: true }).first().waitFor();
});

async function takenAlong() {
  const leaf = fay.page.getByRole('list', { name: 'Leaves of the log' }).getByRole('link', { name: /Request submitted/ });
  await leaf.click();
  const drawer = fay.page.getByRole('complementary');
  await drawer.getByText('Computed here').waitFor();
  return keptDownload(fay, world.folder, () => drawer.getByRole('button', { name: 'Download evidence' }).click());
}

test('an auditor takes the evidence along while it is granted', async () => {
  await signIn(fay);
  await fay.page.goto(`${world.base}/audit?stream=request/${request}`);
  early = join(world.folder, 'early.zip');
  await rename(await takenAlong(), early);
});

test('an approver ends it early, and the requester sees that', async () => {
  await dee.page.goto(`${world.base}/inbox/${request}`);
  await act(dee, 'Revoke …').click();
  await bar(dee).getByLabel('Reason').fill('The replica was the cause.');
  await act(dee, 'Revoke with passkey').click();
  await bar(dee).getByText('Recorded').waitFor();
  await ben.page.getByRole('list', { name: 'Timeline' }).getByText('Revoked', { exact: true }).waitFor();
  await looksRight(ben, 'the whole way, revoked');
});

test('an auditor finds it and takes the evidence along', async () => {
  await fay.page.getByRole('link', { name: 'Audit' }).first().click();
  await fay.page.getByLabel('Words').fill('times out since 10:40');
  await fay.page.getByText(/^\d leaves$/).waitFor();
  evidence = await takenAlong();
});

const PROVED = ['checkpoint-signature', 'leaf-inclusion', 'stream-continuity', 'identity-chain', 'policy-chain', 'request-digest', 'requester-signature',
  'verdict-digest', 'floor', 'decision-signatures', 'decision-subject', 'quorum', 'approval-time', 'attestation-signatures', 'attestation-log-entry', 'disclosures'];

test('dropped with the trust file, every check passes by name', async () => {
  await fay.page.getByRole('link', { name: 'Verify' }).first().click();
  await fay.heading('Verify evidence').waitFor();
  await looksRight(fay, 'nothing to verify yet');
  await drop(fay, 'Evidence', evidence);
  await drop(fay, 'Your trust', join(world.folder, 'data', 'trust', 'trust.json'));
  await says(fay, 'verified');
  const { pass, ...others } = await checksOf(fay);
  // No credential, no key of a beneficiary, no hardware that was demanded; and a policy engine is not in a browser.
  const skipped = ['beneficiary-possession', 'passkey-attestation', 'lease-intended', 'newer-log'];
  assert.deepEqual(others, { skipped, 'not checked here': ['verdict-replay'] });
  for (const name of PROVED) assert.ok(pass.includes(name), name);
  await looksRight(fay, 'verified');
});

test('a newer log shows that what the evidence shows was revoked since', async () => {
  await drop(fay, 'Evidence', early);
  await says(fay, 'verified');
  await fay.button('Use this server’s log').click();
  await fay.page.getByText('Since then something was taken back').waitFor();
  await says(fay, 'verified');
  const later = fay.page.locator('[data-later] li');
  const back = await later.evaluateAll((rows) => rows.filter(({ dataset }) => dataset.takesBack === 'true').map((row) => row.querySelector('code').textContent));
  assert.deepEqual(back, ['grant.revoked']);
  assert.ok((await checksOf(fay)).pass.includes('newer-log'));
  await fay.page.getByText('not that it tells everybody the same').waitFor();
  await looksRight(fay, 'what came later');
  await drop(fay, 'Evidence', evidence);
  await fay.page.getByText('Nothing came after this bundle').waitFor();
});

test('one flipped byte fails, by name', async () => {
  await drop(fay, 'Evidence', await flipped(evidence, request));
  await says(fay, 'failed');
  assert.deepEqual((await checksOf(fay)).fail, ['container']);
  assert.deepEqual(await fay.page.locator('section[data-over]').evaluateAll((boxes) => boxes.map(({ dataset }) => dataset.state)), ['bad', 'ready', 'ready']);
  await looksRight(fay, 'not verified');
});
