// Pictures of every screen, 1440 × 900 and 390 × 844, light and where it says something dark: `make screenshots`, into target/screenshots.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { drop, flipped, keptDownload, says } from './browser/proving.mjs';
import { endAll, makeWorld, signIn, CHANGE, LOGIN, PLAN } from './browser/world.mjs';

const OUT = new URL('../../target/screenshots/', import.meta.url);
const SIZES = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];

await mkdir(OUT, { recursive: true });
const world = await makeWorld();
const { ada, ben, rest: [cyd, dee, fay] } = world;

async function picture(person, name, schemes = ['light', 'dark'], shown = undefined) {
  for (const size of SIZES) for (const colorScheme of schemes) {
    await person.page.setViewportSize(size);
    await person.page.emulateMedia({ colorScheme });
    await shown?.scrollIntoViewIfNeeded();
    await person.page.waitForTimeout(300);
    await person.page.screenshot({ path: new URL(`${name}-${size.width}-${colorScheme}.png`, OUT).pathname });
  }
  await person.page.emulateMedia({ colorScheme: null });
  await person.page.setViewportSize(SIZES[0]);
}

// Light is enough where dark shows nothing else.
async function screen(person, path, shows, name) {
  await person.page.goto(world.base + path);
  await shows.first().waitFor();
  await picture(person, name, ['light']);
}

async function decision(person, id, name) {
  await person.page.goto(`${world.base}/inbox/${id}`);
  await person.heading(/Ben Booth asks for/).waitFor();
  await picture(person, name);
}

async function approve(person, id) {
  await person.page.goto(`${world.base}/inbox/${id}`);
  await person.button('Approve …').click();
  await person.page.getByLabel('Digits that the requester has').fill(world.digits(id));
  await person.button('Approve with passkey').click();
  await person.page.getByText('Recorded').waitFor();
}

async function revoke(person, id) {
  await person.page.goto(`${world.base}/inbox/${id}`);
  await person.button('Revoke …').click();
  await person.page.getByLabel('Reason', { exact: true }).fill('The replica was the cause.');
  await person.button('Revoke with passkey').click();
  await person.page.getByText('Recorded').waitFor();
}

async function asking(pending) {
  await signIn(ben);
  await screen(ben, '/requests/new', ben.page.getByText('Change a database'), 'new-picker');
  const wish = new URLSearchParams({ entitlement: 'ssh-admin', reason: 'The worker hangs.', minutes: '5',
    'set.host': 'db1.example', 'set.principal': 'deploy', 'set.environment': 'staging' });
  await ben.page.goto(`${world.base}/requests/new?${wish}`);
  await ben.page.getByText('It needs 1 approval').waitFor();
  await picture(ben, 'new');
  await screen(ben, `/requests/${pending}`, ben.page.getByText('It waits for others'), 'request-pending');
  await screen(ben, '/requests', ben.page.getByText('Over', { exact: true }), 'requests');
}

async function granted(id) {
  await approve(cyd, id);
  await approve(dee, id);
  await ben.page.goto(`${world.base}/requests/${id}`);
  await ben.page.getByText('Approved: it has not started yet').waitFor();
  await picture(ben, 'request');
  for (const tab of ['evidence', 'policy', 'raw']) await screen(ben, `/requests/${id}?tab=${tab}`, ben.page.getByRole('tabpanel'), `request-${tab}`);
  await signIn(fay);
  await fay.page.goto(`${world.base}/audit`);
  await fay.page.getByRole('list', { name: 'Leaves of the log' }).getByRole('link').first().waitFor();
  await picture(fay, 'audit');
  await fay.page.goto(`${world.base}/audit?stream=request/${id}`);
  await fay.page.getByRole('link', { name: /Request submitted/ }).click();
  await fay.page.getByText('Computed here').waitFor();
  await picture(fay, 'audit-leaf', ['light']);
  const evidence = await keptDownload(fay, world.folder, () => fay.button('Download evidence').click());
  await screen(fay, '/verify', fay.page.getByText('or drop it here'), 'verify-empty');
  await drop(fay, 'Evidence', evidence);
  await drop(fay, 'Your trust', join(world.folder, 'data', 'trust', 'trust.json'));
  await says(fay, 'verified');
  await picture(fay, 'verify');
  await revoke(dee, id);
  await fay.button('Use this server’s log').click();
  await fay.page.getByText('Since then something was taken back').waitFor();
  await picture(fay, 'verify-later');
  await picture(fay, 'verify-later-events', ['light'], fay.page.locator('[data-later]'));
  await drop(fay, 'Evidence', await flipped(evidence, id));
  await says(fay, 'failed');
  await picture(fay, 'verify-failed', ['light']);
}

async function administering() {
  await signIn(ada);
  await screen(cyd, '/me', cyd.page.getByText('You have one.'), 'me');
  await screen(ada, '/admin', ada.page.getByText('5 people'), 'people');
  await screen(ada, `/admin/people/${dee.id}`, ada.heading('Dee Drake'), 'person');
  await screen(ada, '/admin/waiting', ada.page.getByText('No key waits'), 'waiting');
  await screen(ada, '/admin/alerts', ada.page.getByText('No open alert'), 'alerts');
  await screen(ada, '/admin/entitlements', ada.page.getByText('Who approves'), 'entitlements');
  await screen(ada, '/admin/trust', ada.page.getByText('A single process'), 'trust');
  await ada.page.goto(`${world.base}/admin/people/${dee.id}`);
  await ada.page.getByLabel('Role to give').fill('dba');
  await ada.button('Give …').click();
  await ada.page.getByText('0 of 2 signed').waitFor();
  await picture(ada, 'act', ['light']);
}

try {
  await cyd.page.goto(`${world.base}/`);
  await cyd.button('Sign in with a passkey').waitFor();
  await picture(cyd, 'sign-in');
  await signIn(cyd);
  await signIn(dee);
  await picture(cyd, 'inbox-empty');
  const change = await world.request(ben, CHANGE);
  const login = await world.request(ben, LOGIN);
  const plan = await world.request(ben, PLAN);
  await dee.page.goto(`${world.base}/`);
  await dee.page.getByRole('list', { name: 'Requests' }).getByRole('link').first().waitFor();
  await picture(dee, 'inbox');
  await decision(dee, change, 'decision-sql');
  await decision(dee, login, 'decision-login');
  await decision(dee, plan, 'decision-plan');
  await dee.button('Approve …').click();
  await picture(dee, 'decision-approving');
  await dee.button('Back').click();
  await dee.button('Reject …').click();
  await picture(dee, 'decision-rejecting');
  await dee.page.getByLabel('Reason', { exact: true }).fill('Not during the sale.');
  await dee.button('Reject with passkey').click();
  await dee.page.getByText('Recorded').waitFor();
  await picture(dee, 'decision-recorded');
  await cyd.page.route('**/artifacts/**', (route) => route.fulfill({ body: 'DROP TABLE shop.orders;' }));
  await cyd.page.goto(`${world.base}/inbox/${change}`);
  await cyd.page.getByText('Do not sign this').waitFor();
  await picture(cyd, 'decision-refused');
  await cyd.page.unroute('**/artifacts/**');
  await asking(login);
  await granted(change);
  await administering();
} finally {
  for (const person of world.people) if (person.faults.length > 0) console.log(person.name, person.faults);
  await world.leave();
  await endAll();
}
