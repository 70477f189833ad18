// People in a browser: each has a context of their own with a virtual authenticator (WebAuthn §11), and everything
// that a page must never do is written down while they act.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AUTHENTICATOR = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
  isUserVerified: true, automaticPresenceSimulation: true };
const SIZES = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [] });

// An answer that refuses is written to the console by the browser itself; the page shows it.
const isAnswer = (message) => message.location().url !== '' && /^\/(api|log)\//.test(new URL(message.location().url).pathname);

// `kept` is what `keep` of the same person gave: their browser as it was then.
export async function newPerson(browser, base, name, kept = { passkeys: [] }) {
  const context = await browser.newContext({ viewport: SIZES[0], storageState: kept.storage });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !isAnswer(message)) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith('blob:')) faults.push(`contacted ${request.url()}`);
  });
  await page.exposeBinding('reportViolation', (_, text) => { faults.push(text); });
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation',
    (event) => globalThis.reportViolation(`${event.violatedDirective} ${event.blockedURI}`)));
  await page.addInitScript(AXE);
  const developer = await context.newCDPSession(page);
  await developer.send('WebAuthn.enable');
  const { authenticatorId } = await developer.send('WebAuthn.addVirtualAuthenticator', { options: AUTHENTICATOR });
  for (const credential of kept.passkeys) await developer.send('WebAuthn.addCredential', { authenticatorId, credential });
  const passkeys = async () => (await developer.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  const signatures = async () => (await passkeys()).reduce((sum, { signCount }) => sum + signCount, 0);
  const keep = async () => ({ storage: await context.storageState(), passkeys: await passkeys() });
  const button = (label) => page.getByRole('button', { name: label });
  const heading = (label) => page.getByRole('heading', { name: label });
  // A second authenticator, such as a security key; signatures are counted on the first alone.
  const plugIn = async () => {
    const added = await developer.send('WebAuthn.addVirtualAuthenticator', { options: { ...AUTHENTICATOR, transport: 'usb' } });
    return () => developer.send('WebAuthn.removeVirtualAuthenticator', added);
  };
  return { name, base, context, page, faults, signatures, keep, plugIn, button, heading };
}

export async function enrol(person, link) {
  await person.page.goto(link);
  await person.page.getByLabel('Your name').fill(person.name);
  await person.button('Make a passkey').click();
  await person.heading(/^(You are enrolled|Now the administrators)$/).waitFor();
  person.fingerprint = await person.page.locator('.fingerprint').textContent();
  person.id = await person.page.evaluate(() => localStorage.getItem('chancery-person'));
}

export async function signIn(person) {
  await go(person, '/sign');
  await person.button('Sign in with a passkey').click();
  await person.heading('Inbox').waitFor();
}

// A load of its own, also where only the fragment differs.
export async function go(person, path) {
  await person.page.goto('about:blank');
  await person.page.goto(person.base + path);
}

// Writes the digits that the requester told, and begins to approve.
export async function beginApproval(person, digits) {
  await person.page.getByLabel('Two digits that the requester was shown').fill(digits);
  await person.button('Approve …').click();
}

// Reads well: in light and dark, wide and narrow; and a picture of each when PICTURES names a folder.
export async function looksRight(person, name) {
  const { page } = person;
  await page.getByRole('heading', { level: 1 }).waitFor();
  for (const colorScheme of ['light', 'dark']) for (const size of SIZES) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    const where = `${name}, ${colorScheme}, ${size.width}`;
    const broken = await page.evaluate(() => globalThis.axe.run().then(({ violations }) =>
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.failureSummary).join('; ')}`)));
    assert.deepEqual(broken, [], where);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `${where} scrolls sideways`);
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${name}-${colorScheme}-${size.width}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(SIZES[0]);
}
