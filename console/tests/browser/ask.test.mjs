// Asking, and following what becomes of it, in a real browser against the real server.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hex, reoffered } from '../../../tests/page/documents.mjs';
import { looksRight } from './looks.mjs';
import { story } from './story.mjs';
import { newKey, run, sign } from './terminal.mjs';
import { DOWN, signIn, UP } from './world.mjs';

let world, ben, cyd, dee, change;

const test = story('asking, and what becomes of it', async (made) => {
  world = made;
  [ben, cyd, dee] = [world.ben, ...world.rest];
});

const { PICTURES } = process.env;
async function looks(person, name) {
  await looksRight(person, name);
  if (!PICTURES) return;
  for (const [width, height] of [[1440, 900], [390, 844]]) for (const colorScheme of ['light', 'dark']) {
    await person.page.setViewportSize({ width, height });
    await person.page.emulateMedia({ colorScheme });
    await person.page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`) });
  }
  await person.page.emulateMedia({ colorScheme: null });
  await person.page.setViewportSize({ width: 1440, height: 900 });
}

const preview = () => ben.page.getByRole('complementary', { name: 'What would come of it' });
const field = (label) => ben.page.getByLabel(label, { exact: false }).first();
const choose = (group, value) => ben.page.getByRole('radiogroup', { name: group }).getByText(value, { exact: true }).click();
const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });

async function attach(...files) {
  const [chooser] = await Promise.all([ben.page.waitForEvent('filechooser'), ben.button('Choose files').click()]);
  await chooser.setFiles(files);
  await ben.page.getByRole('list', { name: 'Files of this request' }).getByText(files.at(-1).name, { exact: true }).waitFor();
}

test('what may be asked for is found by words, and chosen with the keyboard alone', async () => {
  await signIn(ben);
  await ben.page.goto(`${world.base}/requests`);
  await ben.page.getByText('You have not asked for anything').waitFor();
  await looks(ben, 'requests-empty');
  await ben.page.goto(`${world.base}/requests/new`);
  await ben.page.getByText('Change a database').waitFor();
  await looks(ben, 'new-picker');
  await ben.page.getByRole('searchbox').fill('zzz');
  await ben.page.getByText('Nothing is called that').waitFor();
  await ben.page.getByRole('searchbox').fill('database change');
  await ben.page.keyboard.press('Enter');
  await ben.heading('Change a database').waitFor();
  await preview().getByText('Database').waitFor();
  await looks(ben, 'new-incomplete');
});

test('the form says what its schema says, and nothing is asked while it is wrong', async () => {
  await field('Database').fill('Payments');
  await ben.page.getByText(/does not have the form that is asked for: \^\[a-z_\]/).waitFor();
  await preview().getByRole('button', { name: 'Environment' }).waitFor();
  assert.equal(await ben.button('Sign and submit with passkey').getAttribute('aria-disabled'), 'true');
  await field('Database').fill('payments');
  await choose('Environment', 'production');
  await preview().getByText('Policy would deny this').waitFor();
  await preview().getByText(/without a script that takes it back/).waitFor();
  await ben.page.getByText('Mend what stands in the way first.').waitFor();
});

test('the preview follows what is typed, and says what would be easier only when policy said so', async () => {
  await attach(file('up.sql', UP), file('down.sql', DOWN));
  await field('Reason').fill('Order search times out for large customers since this morning.');
  await field('Ticket').fill('OPS-1204');
  const easier = preview().getByRole('listitem').filter({ hasText: 'With down.sql as what undoes it' });
  await easier.getByText('2 approvals').waitFor();
  await easier.getByRole('button').click();
  await preview().getByText('It needs 2 approvals').waitFor();
  await preview().getByText('Cyd Crane').waitFor();
  await preview().getByText('Dee Drake').waitFor();
  assert.ok(await ben.page.getByRole('checkbox', { name: 'down.sql undoes the change' }).isChecked());
  await looks(ben, 'new-complete');
});

test('a document that says something else than the form is not signed', async () => {
  const before = await ben.signatures();
  await ben.page.route('**/api/v1/drafts', async (route) => {
    const answer = await route.fetch();
    const draft = await answer.json();
    // Every digest fits, as a server that was taken over would have it.
    const lie = reoffered(draft, 'request', (document) => { document.parameters.database = 'ledger'; });
    await route.fulfill({ json: { ...lie, request_sha256: hex(lie.document), challenge: lie.public_key.challenge } });
  });
  await ben.button('Sign and submit with passkey').click();
  await ben.page.getByText('Do not sign this').waitFor();
  await ben.page.getByText('parameter database').waitFor();
  assert.equal(await ben.signatures(), before, 'nothing was signed');
  await looks(ben, 'new-different');
  await ben.page.unroute('**/api/v1/drafts');
});

test('what it signs is what the form says; then it waits, with a command to wait for it', async () => {
  await ben.button('Sign and submit with passkey').click();
  await ben.page.getByText('It waits for others').waitFor();
  await ben.page.getByRole('img', { name: /^Digits for approvers: \d \d$/ }).waitFor();
  change = new URL(ben.page.url()).pathname.split('/').at(-1);
  await ben.page.getByText(`chancery request wait ${change}`).waitFor();
  await ben.page.getByRole('list', { name: 'Timeline' }).getByText('Submitted', { exact: true }).waitFor();
  await looks(ben, 'request-pending');
});

test('the parts of a request: evidence that verifies, policy, raw texts', async () => {
  await ben.page.getByRole('tab', { name: 'Evidence' }).click();
  const [download] = await Promise.all([ben.page.waitForEvent('download'), ben.button('Download the evidence').click()]);
  const bundle = await readFile(await download.path());
  assert.equal(bundle.subarray(0, 2).toString(), 'PK');
  await looks(ben, 'request-evidence');
  await ben.page.getByRole('tab', { name: 'Policy' }).click();
  await ben.page.getByText(/entitlement\.risk_tier · chancery\/rules\/base\.rego, line \d+/).click();
  await ben.page.getByRole('region', { name: /base\.rego, line/ }).getByText('data.thresholds.points_tier_high.value').waitFor();
  await looks(ben, 'request-policy');
  await ben.page.getByRole('tab', { name: 'Raw' }).click();
  await ben.page.getByRole('region', { name: 'Request document, as it was signed' }).getByText(change).waitFor();
  await looks(ben, 'request-raw');
  assert.match(ben.page.url(), /tab=raw$/);
});

test('an edit starts from the signed document, and makes the next revision', async () => {
  await ben.page.goto(`${world.base}/requests/${change}`);
  await ben.page.getByRole('link', { name: 'Edit as a new revision' }).click();
  await ben.heading('Edit a request').waitFor();
  assert.equal(await field('Database').inputValue(), 'payments');
  assert.equal(await field('Ticket').inputValue(), 'OPS-1204');
  await field('Ticket').fill('OPS-1205');
  await preview().getByText('It needs 2 approvals').waitFor();
  await looks(ben, 'new-revision');
  await ben.button('Sign and submit with passkey').click();
  await ben.page.getByText('revision 2').first().waitFor();
  await ben.page.getByText('OPS-1205').first().waitFor();
  await ben.page.getByText('Submitted anew').waitFor();
});

test('it is live: another person cancels nothing, its requester does, and every screen follows', async () => {
  await signIn(cyd);
  await cyd.page.goto(`${world.base}/requests/${change}`);
  await cyd.heading('Change a database: payments · production').waitFor();
  assert.equal(await cyd.button('Cancel this request').count(), 0);
  await ben.button('Cancel this request').click();
  await looks(ben, 'request-cancel');
  await ben.button('No, leave it').click();
  await ben.button('Cancel this request').click();
  await ben.button('Cancel the request').click();
  await ben.page.getByText('Cancelled by the requester').first().waitFor();
  await cyd.page.getByText('Cancelled by the requester').first().waitFor();
  await ben.page.getByText(/not possible|cancelled/).first().waitFor();
  await looks(ben, 'request-cancelled');
});

test('an address fills the form in for a runbook, and submits nothing', async () => {
  const search = new URLSearchParams({ entitlement: 'ssh-admin', 'set.host': 'db1.example', 'set.principal': 'deploy', 'set.environment': 'staging', 'set.color': 'red', reason: 'The worker hangs.', minutes: '5' });
  await ben.page.goto(`${world.base}/requests/new?${search}`);
  await ben.page.getByText('Filled in by the address').waitFor();
  await ben.page.getByText(/they are left out: color/).waitFor();
  assert.equal(await field('Host').inputValue(), 'db1.example');
  await preview().getByText('It needs 1 approval', { exact: true }).waitFor();
  await ben.page.getByText("chancery request create ssh-admin --set=host=db1.example --set=principal=deploy --set=environment=staging --reason='The worker hangs.' --ttl=300s").waitFor();
  await looks(ben, 'new-prefilled');
});

test('a key proves itself by a signature from a terminal, which the page verifies first', async () => {
  const [own, other] = [await newKey(world.folder, 'own'), await newKey(world.folder, 'other')];
  await field('Public key').fill('nonsense');
  await ben.page.getByText(/not one SSH public key line/).waitFor();
  await field('Public key').fill(own.line);
  await ben.button('Go on to the signatures').click();
  await ben.heading('Show that you have the key').waitFor();
  await looks(ben, 'new-possession');
  const command = await ben.page.getByRole('region', { name: 'Command' }).textContent();
  await ben.page.getByLabel('Signature').fill(await sign(command, other.file));
  await ben.page.getByText(/signed by another SSH key/).waitFor();
  assert.equal(await ben.button('Sign and submit with passkey').getAttribute('aria-disabled'), 'true');
  await ben.page.getByLabel('Signature').fill(await sign(command, own.file));
  await ben.page.getByText('It is by that key, over this document.').waitFor();
  await ben.button('Sign and submit with passkey').click();
  await ben.page.getByText('It waits for others').waitFor();
});

test('an approved one gives a certificate for that key; it can be ended early, and the list says all of it', async () => {
  const id = new URL(ben.page.url()).pathname.split('/').at(-1);
  await signIn(dee);
  await dee.page.goto(`${world.base}/inbox/${id}`);
  await dee.button(/^Approve/).click();
  await ben.page.getByText('Approved: it has not started yet').waitFor();
  await looks(ben, 'request-approved');
  await ben.button('Get the certificate').click();
  await ben.button('Get it').click();
  const [download] = await Promise.all([ben.page.waitForEvent('download'), ben.button('Download the certificate').click()]);
  const { stdout } = await run('ssh-keygen', ['-L', '-f', await download.path()]);
  assert.match(stdout, /deploy@db1\.example/);
  await ben.page.getByText('Credential issued').waitFor();
  await looks(ben, 'request-active');
  await ben.button('End it now').click();
  await ben.button('End the grant').click();
  await ben.page.getByText('Ended early').waitFor();
  await ben.page.getByText('Sessions may still be open').waitFor();
  await looks(ben, 'request-ended');
  await ben.page.goto(`${world.base}/requests`);
  await ben.page.getByText('Over', { exact: true }).waitFor();
  assert.equal(await ben.page.locator('#main').getByRole('link', { name: /Change a database|db-change|ssh-admin|Log in/ }).count(), 2);
  await looks(ben, 'requests');
  await ben.page.keyboard.press('j');
  await ben.page.keyboard.press('j');
  await ben.page.keyboard.press('Enter');
  await ben.heading('Change a database: payments · production').waitFor();
});
