// Administration, oneself and the audit in a real browser against the real server: every change of people is signed over
// exactly what is shown, and what was changed on its way to the page is refused.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { reoffered } from '../../../tests/page/documents.mjs';
import { enrol, newPerson } from '../../../tests/page/people.mjs';
import { looksRight } from './looks.mjs';
import { story } from './story.mjs';
import { CHANGE, signIn } from './world.mjs';

let world, ada, ben, cyd, dee, change, leaf;

const test = story('administration, oneself, audit', async (made) => {
  world = made;
  ({ ada, ben, rest: [cyd, dee] } = world);
  leaf = await logSize();
  change = await world.request(ben, CHANGE);
  for (const person of [ada, ben, cyd, dee]) await signIn(person);
});

async function logSize() {
  const checkpoint = await (await fetch(`${world.base}/log/checkpoint`)).text();
  return Number(checkpoint.split('\n')[1]);
}

const open = (person, path) => person.page.goto(world.base + path);
const dialog = (person) => person.page.getByRole('dialog');
const inDialog = (person, label) => dialog(person).getByRole('button', { name: label });
const row = (person, text) => person.page.getByRole('listitem').filter({ hasText: text });

async function personPage(administrator, person) {
  await open(administrator, `/admin/people/${person.id}`);
  await administrator.heading(person.name).waitFor();
}

// Answers of one path are changed on their way to the page.
async function tampered(person, path, alter, work) {
  const matches = (url) => url.pathname === `/api/v1/${path}`;
  await person.context.route(matches, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: alter(await response.json()) });
  });
  await work();
  await person.context.unroute(matches);
}

async function refusesToSign(person, ...named) {
  await dialog(person).getByText('Do not sign this').waitFor();
  const said = await dialog(person).innerText();
  for (const text of named) assert.ok(said.includes(text), `${text} is not named: ${said}`);
  assert.equal(await inDialog(person, 'Sign with passkey').count(), 0);
  await inDialog(person, 'Close').click();
}

// ---- Administration ----

test('whoever is no administrator sees the directory, and every control says why it is off', async () => {
  await open(cyd, '/admin');
  await cyd.page.getByRole('list', { name: 'People' }).getByText('Dee Drake').waitFor();
  await looksRight(cyd, 'people');
  await personPage(cyd, dee);
  const suspend = cyd.button('Suspend …');
  assert.equal(await suspend.getAttribute('aria-disabled'), 'true');
  await suspend.press('Enter');
  assert.equal(await dialog(cyd).count(), 0);
  assert.ok((await cyd.page.getByText('Only identity administrators may do this.').count()) > 0);
});

test('the directory is found by words, and by the keyboard alone', async () => {
  await open(ada, '/admin');
  await ada.page.getByRole('list', { name: 'People' }).waitFor();
  await ada.page.keyboard.press('/');
  await ada.page.keyboard.type('cyd dba');
  await ada.page.getByText('1 of 5 people').waitFor();
  assert.match(ada.page.url(), /q=cyd/);
  await ada.page.keyboard.press('Tab');
  while (!(await ada.page.evaluate(() => document.activeElement?.textContent?.startsWith('Cyd')))) await ada.page.keyboard.press('Tab');
  await ada.page.keyboard.press('Enter');
  await ada.heading('Cyd Crane').waitFor();
  await looksRight(ada, 'person');
});

test('a role is offered as asked, signed by one and then by the other, and stands in the log', async () => {
  await personPage(ada, cyd);
  await ada.page.getByLabel('Role to give').fill('auditor');
  await ada.button('Give …').click();
  await dialog(ada).getByText('0 of 2 signed').waitFor();
  await looksRight(ada, 'act');
  await inDialog(ada, 'Sign with passkey').click();
  await dialog(ada).getByText('another administrator has to sign too').waitFor();
  const address = await dialog(ada).locator('code').innerText();
  await looksRight(ada, 'act-waits');
  await ben.page.goto(address);
  await dialog(ben).getByText('1 of 2 signed').waitFor();
  await inDialog(ben, 'Sign with passkey').click();
  await dialog(ben).getByText('It stands in the log at leaf').waitFor();
  await dialog(ben).getByRole('link', { name: 'See the leaf' }).click();
  await ben.page.getByRole('complementary').getByText('Computed here').waitFor();
});

test('an act that was changed on its way is not signed', async () => {
  const signed = await ada.signatures();
  const give = async () => {
    await personPage(ada, dee);
    await ada.page.getByLabel('Role to give').fill('dba');
    await ada.button('Give …').click();
  };
  const changes = [
    ['identity_admin', (offer) => reoffered(offer, 'identity', (one) => { one.body.role = 'identity_admin'; })],
    [cyd.id, (offer) => reoffered(offer, 'identity', (one) => { one.body.person = cyd.id; })],
    ['role.removed', (offer) => reoffered(offer, 'identity', (one) => { one.act = 'role.removed'; })],
    ['also', (offer) => reoffered(offer, 'identity', (one) => { one.body.also = 'everything'; })],
    ['elsewhere.example', (offer) => reoffered(offer, 'identity', (one) => { one.log_origin = 'elsewhere.example'; })],
    ['challenge', (offer) => ({ ...offer, public_key: { ...offer.public_key, challenge: 'A'.repeat(43) } })],
    ['document digest', (offer) => ({ ...offer, document_sha256: '0'.repeat(64) })],
    ['canonical form', (offer) => ({ ...offer, document: offer.document.replace(',', ', ') })],
  ];
  for (const [named, alter] of changes) {
    await tampered(ada, 'identity/options', alter, async () => {
      await give();
      await refusesToSign(ada, named);
    });
  }
  assert.equal(await ada.signatures(), signed);
});

test('nothing waits, and an address that no screen has: both say what to do', async () => {
  await open(ada, '/admin/waiting');
  await ada.page.getByText('No key waits').waitFor();
  await looksRight(ada, 'waiting-empty');
  await open(ada, '/nowhere');
  await ada.page.locator('#main').getByRole('link').first().waitFor();
  await looksRight(ada, 'nowhere');
});

test('a person joins: one-time link, the fingerprint as they read it, two signatures', async () => {
  await open(ada, '/admin');
  await ada.button('Invite …').click();
  await dialog(ada).getByLabel('Roles').fill('engineer');
  await dialog(ada).getByLabel('Attributes').fill('team');
  assert.equal(await inDialog(ada, 'Make a one-time link').getAttribute('aria-disabled'), 'true');
  await dialog(ada).getByLabel('Attributes').fill('team = data');
  await looksRight(ada, 'invite');
  await inDialog(ada, 'Make a one-time link').click();
  const link = await dialog(ada).getByRole('group', { name: 'One-time link' }).locator('code').innerText();
  await inDialog(ada, 'Close').click();
  const eve = await newPerson(world.browser, world.base, 'Eve Elm');
  world.people.push(eve);
  await enrol(eve, link);

  await open(ada, '/admin/waiting');
  await row(ada, 'Eve Elm').waitFor();
  await looksRight(ada, 'waiting');
  await row(ada, 'Eve Elm').getByRole('button').click();
  await compareAndSign(ada, eve, true);
  await dialog(ada).getByText('another administrator has to sign too').waitFor();
  await open(ben, '/admin/waiting');
  await row(ben, 'Let a person join').getByRole('button').click();
  await compareAndSign(ben, eve, false);
  await dialog(ben).getByText('It stands in the log at leaf').waitFor();
  await signIn(eve);
});

// Nothing can be signed before the whole fingerprint was typed, and a wrong one says so.
async function compareAndSign(administrator, person, look) {
  const sign = inDialog(administrator, 'Sign with passkey');
  const typed = dialog(administrator).getByLabel('Fingerprint, as the person reads it');
  await typed.waitFor();
  assert.ok(!(await dialog(administrator).innerText()).includes(person.fingerprint), 'the fingerprint is shown before it was asked for');
  assert.equal(await sign.getAttribute('aria-disabled'), 'true');
  const before = await administrator.signatures();
  await typed.fill(person.fingerprint.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')));
  await dialog(administrator).getByText('This is not the key that waits').waitFor();
  if (look) await looksRight(administrator, 'compare-different');
  await sign.press('Enter');
  assert.equal(await administrator.signatures(), before);
  await typed.fill(person.fingerprint.toUpperCase());
  await dialog(administrator).getByText('It is the same key.').waitFor();
  if (look) await looksRight(administrator, 'compare-same');
  await sign.click();
}

test('one administrator suspends at once; two let back in', async () => {
  await personPage(ada, dee);
  await ada.button('Suspend …').click();
  await inDialog(ada, 'Sign with passkey').click();
  await dialog(ada).getByText(/Recorded|another administrator/).first().waitFor();
  if (await dialog(ada).getByText('another administrator').count()) await signWaiting(ben, 'Suspend');
  await personPage(ada, dee);
  await ada.page.getByText('May not sign in, ask or decide.').waitFor();
  await ada.button('Reinstate …').click();
  await inDialog(ada, 'Sign with passkey').click();
  await dialog(ada).getByText(/Recorded|another administrator/).first().waitFor();
  if (await dialog(ada).getByText('another administrator').count()) await signWaiting(ben, 'Reinstate');
  await personPage(ada, dee);
  await ada.page.getByText('May sign in, ask and decide.').waitFor();
});

async function signWaiting(administrator, title) {
  await open(administrator, '/admin/waiting');
  await row(administrator, title).getByRole('button').click();
  await inDialog(administrator, 'Sign with passkey').click();
  await dialog(administrator).getByText('It stands in the log at leaf').waitFor();
}

test('a recovery link is made for another, not for oneself', async () => {
  await personPage(ada, ada);
  assert.equal(await ada.button('Make a recovery link').getAttribute('aria-disabled'), 'true');
  await personPage(ada, dee);
  await ada.button('Make a recovery link').click();
  await ada.page.getByText('Shown once.').waitFor();
  assert.match(await ada.page.getByRole('group', { name: 'One-time link' }).innerText(), /\/enrol#/);
});

test('entitlements, trust and log read well, and say what they do not prove', async () => {
  await open(ada, '/admin/entitlements');
  await ada.heading('Change a database').waitFor();
  await ada.page.getByText('Who approves').waitFor();
  await looksRight(ada, 'entitlements');
  await open(ada, '/admin/trust');
  await ada.page.getByText('verified here, with the key that the server names').waitFor();
  await ada.page.getByText('SHA-256 of trust.json').waitFor();
  await ada.page.getByText('A single process').waitFor();
  await looksRight(ada, 'trust');
});

test('a log that lies about its root, and a trust root that is not its digest, are named', async () => {
  await tampered(ada, 'log', (view) => ({ ...view, size: view.size + 1 }), async () => {
    await open(ada, '/admin/trust');
    await ada.page.getByText('Size or root are not those of the checkpoint.').waitFor();
  });
  await tampered(ada, 'log', (view) => ({ ...view, checkpoint: view.checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`) }), async () => {
    await open(ada, '/admin/trust');
    await ada.page.getByText('does not verify').first().waitFor();
  });
  await tampered(ada, 'trust', (view) => ({ ...view, sha256: '0'.repeat(64) }), async () => {
    await open(ada, '/admin/trust');
    await ada.page.getByText('The digest that the server gives is not that of the text it gives.').waitFor();
  });
});

test('no alert is a state that says what would come', async () => {
  await open(ada, '/admin/alerts');
  await ada.page.getByText('No open alert').waitFor();
  await looksRight(ada, 'alerts-empty');
});

test('a report raises an alert; an administrator acknowledges it, and says twice that they looked', async () => {
  await open(dee, `/inbox/${change}`);
  await dee.button('Report suspicious …').click();
  await dee.page.getByRole('textbox', { name: 'Reason' }).fill('nobody asked for this');
  await dee.button('Report with passkey').click();
  await dee.page.getByText('reported as suspicious').first().waitFor();
  await open(ben, '/admin/alerts');
  await ben.page.getByText('A request was reported as suspicious').waitFor();
  await open(ada, '/admin/alerts');
  await ada.page.getByText('the requester may ask for nothing and start nothing').waitFor();
  await looksRight(ada, 'alerts');
  await ada.button('Acknowledge and lift the freeze').click();
  await ada.button('Not yet').click();
  await ada.button('Acknowledge and lift the freeze').click();
  await ada.button('Yes, I looked at it').click();
  await ada.page.getByText('No open alert').waitFor();
  await ada.page.getByRole('link', { name: 'All', exact: true }).click();
  await ada.page.getByText('Acknowledged by').waitFor();
  await looksRight(ada, 'alerts-all');
});

// ---- Me ----

test('a further passkey is signed for with the one that is there, and removed again', async () => {
  await open(cyd, '/me');
  await cyd.page.getByText('You have one.').waitFor();
  await looksRight(cyd, 'me');
  const unplug = await cyd.plugIn();
  await cyd.button('Add a passkey …').click();
  await dialog(cyd).getByText('Key fingerprint').waitFor();
  await unplug();
  await inDialog(cyd, 'Sign with passkey').click();
  await dialog(cyd).getByText('It stands in the log at leaf').waitFor();
  await inDialog(cyd, 'Close').click();
  const keys = cyd.page.getByRole('list', { name: 'Passkeys' }).getByRole('listitem');
  await keys.nth(1).waitFor();
  await keys.filter({ hasNotText: 'signed in last' }).getByRole('button').click();
  await inDialog(cyd, 'Sign with passkey').click();
  await dialog(cyd).getByText('It stands in the log at leaf').waitFor();
  await inDialog(cyd, 'Close').click();
  await cyd.page.getByText('You have one.').waitFor();
});

test('a key that was exchanged on its way is not signed for', async () => {
  const signed = await cyd.signatures();
  const unplug = await cyd.plugIn();
  const exchange = (offer) => reoffered(offer, 'identity', (one) => { one.body.passkey.public_key = one.body.passkey.public_key.replace(/.{4}$/, 'AAAA'); });
  await tampered(cyd, 'identity/options', exchange, async () => {
    await open(cyd, '/me');
    await cyd.button('Add a passkey …').click();
    await refusesToSign(cyd, 'passkey, public key');
  });
  await unplug();
  assert.equal(await cyd.signatures(), signed);
  await cyd.page.getByText('A passkey of yours waits for your signature').waitFor();
});

test('sessions are listed, and one is ended', async () => {
  await open(ben, '/me');
  const line = ben.page.getByRole('list', { name: 'Sessions' }).getByRole('listitem').filter({ hasText: 'Command line' });
  await line.waitFor();
  await line.getByRole('button').click();
  await line.waitFor({ state: 'detached' });
  await ben.page.getByRole('list', { name: 'Sessions' }).getByText('this one').waitFor();
});

test('theme and single keys are kept', async () => {
  await open(cyd, '/me');
  await cyd.page.getByLabel('Dark').check();
  await cyd.page.getByLabel('Single keys').uncheck();
  await cyd.page.reload();
  await cyd.heading('Me').waitFor();
  assert.equal(await cyd.page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.equal(await cyd.page.getByLabel('Single keys').isChecked(), false);
  await cyd.page.getByLabel('As the system').check();
  await cyd.page.getByLabel('Single keys').check();
});

test('a recovery is told to whom it is about, and stopped with a passkey from before', async () => {
  await personPage(ada, dee);
  await ada.button('Make a recovery link').click();
  const link = await ada.page.getByRole('group', { name: 'One-time link' }).locator('code').innerText();
  const thief = await newPerson(world.browser, world.base, 'Dee Drake');
  world.people.push(thief);
  await thief.page.goto(link);
  await thief.button('Make a passkey').click();
  thief.fingerprint = await thief.page.locator('.fingerprint').textContent();
  await open(ada, '/admin/waiting');
  await row(ada, 'lost all passkeys').getByRole('button').click();
  await compareAndSign(ada, thief, false);
  await dialog(ada).getByText('another administrator has to sign too').waitFor();
  await open(ben, '/admin/waiting');
  await row(ben, 'Recover a person').getByRole('button').click();
  await compareAndSign(ben, thief, false);
  await dialog(ben).getByText('It stands in the log at leaf').waitFor();

  await open(dee, '/me');
  await dee.page.getByText('Somebody is getting in as you with a new passkey').waitFor();
  await looksRight(dee, 'me-held');
  assert.equal(await dee.button('Add a passkey …').getAttribute('aria-disabled'), 'true');
  await dee.button('Stop the recovery …').click();
  await inDialog(dee, 'Sign with passkey').click();
  await dialog(dee).getByText('It stands in the log at leaf').waitFor();
  await inDialog(dee, 'Close').click();
  await dee.page.getByText('Somebody is getting in').waitFor({ state: 'detached' });
  assert.equal(await dee.button('Add a passkey …').getAttribute('aria-disabled'), null);
});

// ---- Audit ----

const leaves = (person) => person.page.getByRole('list', { name: 'Leaves of the log' }).getByRole('link');

test('whoever is no auditor is told what is left out', async () => {
  await open(dee, '/audit');
  await leaves(dee).first().waitFor();
  await dee.page.getByText('names and words beside them are for auditors').waitFor();
  await looksRight(dee, 'audit');
});

test('an auditor finds words beside leaves, opens one with the keyboard, and sees it proved', async () => {
  await open(cyd, '/audit');
  await leaves(cyd).first().waitFor();
  await cyd.page.keyboard.press('/');
  await cyd.page.keyboard.type('order search times out');
  await cyd.page.getByText('2 leaves').waitFor();
  await cyd.page.evaluate(() => document.activeElement.blur());
  await cyd.page.keyboard.press('j');
  await cyd.page.keyboard.press('j');
  await cyd.page.keyboard.press('Enter');
  const drawer = cyd.page.getByRole('complementary');
  await drawer.getByText('Computed here').waitFor();
  await drawer.getByText('Order search times out').waitFor();
  await looksRight(cyd, 'leaf');
  await cyd.page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  assert.equal(await cyd.page.evaluate(() => document.activeElement?.textContent?.includes('Request submitted')), true);
});

test('a leaf that the server shows otherwise than the log has it is named', async () => {
  const other = (page) => ({ ...page, items: page.items.map((item) => ({ ...item, kind: 'request.approved' })) });
  await tampered(cyd, 'audit', other, async () => {
    await open(cyd, `/audit?leaf=${leaf}`);
    await cyd.page.getByRole('complementary').getByText('The log has another leaf there than the server shows').waitFor();
  });
  const tile = (url) => url.pathname.startsWith('/log/tile/entries/');
  await cyd.context.route(tile, async (route) => {
    const response = await route.fetch();
    const bytes = await response.body();
    bytes[bytes.indexOf('db-change')] ^= 1;
    await route.fulfill({ response, body: bytes });
  });
  await open(cyd, `/audit?leaf=${leaf}`);
  await cyd.page.getByRole('complementary').getByText('It could not be proved here').waitFor();
  await cyd.context.unroute(tile);
});

test('filters stand in the address, a search is saved, and all of it is exported', async () => {
  await open(cyd, '/audit?stream=identity/');
  await leaves(cyd).first().waitFor();
  await cyd.button('More filters').click();
  await cyd.page.getByRole('combobox', { name: /^Kind/ }).selectOption('role.granted');
  await cyd.page.waitForURL(/kind=role.granted/);
  await leaves(cyd).first().getByText('auditor').waitFor();
  await cyd.button('Save this search …').click();
  await cyd.page.getByLabel('Name').fill('Roles given');
  await cyd.page.keyboard.press('Enter');
  await looksRight(cyd, 'audit-filters');
  const [download] = await Promise.all([cyd.page.waitForEvent('download'), cyd.button('Export CSV').click()]);
  const table = await readFile(await download.path(), 'utf8');
  assert.match(table, /^leaf_index,time,stream,version,kind,body,clear\r\n/);
  assert.equal(table.trimEnd().split('\r\n').length, 1 + await leaves(cyd).count());
  await cyd.button('Clear').click();
  await cyd.page.waitForURL((url) => url.search === '');
  await cyd.page.getByRole('link', { name: 'Roles given' }).click();
  await cyd.page.waitForURL(/kind=role.granted/);
  await cyd.button('Forget the search “Roles given”').click();
  assert.equal(await cyd.page.getByRole('link', { name: 'Roles given' }).count(), 0);
  await cyd.page.getByRole('combobox', { name: /^Kind/ }).selectOption('trust.sealed');
  await cyd.page.getByText('Nothing matches').waitFor();
  await looksRight(cyd, 'audit-empty');
});

test('the evidence of a request is downloaded from its leaf', async () => {
  await open(cyd, `/audit?stream=request/${change}&leaf=${leaf}`);
  const [download] = await Promise.all([cyd.page.waitForEvent('download'), cyd.button('Download evidence').click()]);
  assert.equal(download.suggestedFilename(), `chancery-evidence-${change}.zip`);
  assert.equal((await readFile(await download.path())).subarray(0, 2).toString(), 'PK');
});
