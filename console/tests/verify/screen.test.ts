/** The console's screen, in a real browser: it draws what the library finds, and nothing of a file that was replaced. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CORPUS, readCorpus } from './corpus';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HONEST = 'certificate-honest-001';
const BROKEN = 'certificate-cut-001';
/** How long a step may hang, in milliseconds: machines are slow, and nothing here measures time. */
const PATIENCE = 120_000;

let browser: Browser;
let document: string;

beforeAll(async () => {
  const script = join(import.meta.dirname, 'screen/build.mjs');
  document = execFileSync(process.execPath, [script], { env: { ...process.env, NODE_ENV: 'production' }, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});

afterAll(async () => {
  await browser.close();
});

/** The log that the server has, as a folder; none by itself. */
let served: string | undefined;

async function open(scheme: 'light' | 'dark' = 'light', width = 1440): Promise<Page> {
  const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  // A secure context, as the product is; nothing is fetched but the log.
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body: document }));
  await page.route('**/log/**', (route) => {
    const file = join(served ?? '', new URL(route.request().url()).pathname.slice('/log/'.length));
    return served !== undefined && existsSync(file) ? route.fulfill({ path: file }) : route.fulfill({ status: 404 });
  });
  await page.goto('http://localhost/');
  return page;
}

async function give(page: Page, name: string): Promise<void> {
  await page.getByLabel('Choose the evidence').setInputFiles(join(CORPUS, name, 'bundle.zip'));
  await page.getByLabel('Choose a trust folder').setInputFiles(join(CORPUS, name, 'trust'));
  await page.locator('[data-check="container"]').waitFor();
}

async function failing(page: Page): Promise<string[]> {
  return page.locator('li[data-state="fail"]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-check') ?? ''));
}

it('draws what verification finds', async () => {
  const page = await open();
  for (const name of [HONEST, BROKEN]) {
    const verdict = readCorpus().find((one) => one.name === name)?.verdict;
    await give(page, name);
    await expect.poll(() => failing(page)).toEqual(verdict?.failed);
    expect(await page.locator('[data-check="verdict-replay"]').getAttribute('data-state')).toBe('not checked here');
  }
  await page.close();
});

it('refuses evidence as trust', async () => {
  const page = await open();
  await page.getByLabel('Choose trust files').setInputFiles(join(CORPUS, HONEST, 'bundle.zip'));
  await page.getByText('proves nothing').waitFor();
  await page.close();
});

it('lists what is believed, and says which files of a later version are missing', async () => {
  const page = await open();
  const succeeded = readCorpus().find(({ trust }) => trust.has('history.json'));
  if (succeeded === undefined) throw new Error('the corpus has no successor of a trust root');
  const folder = join(CORPUS, succeeded.name, 'trust');
  await page.getByLabel('Choose trust files').setInputFiles(join(folder, 'trust.json'));
  await page.getByText('trust/history.json').waitFor();
  expect(await page.locator('[data-believed]').count()).toBe(0);
  await page.getByLabel('Choose a trust folder').setInputFiles(folder);
  await page.locator('[data-believed]').waitFor();
  expect(await page.locator('[data-believed]').innerText()).toMatch(/Version 1[^]*Version 2[^]*signed by [0-9A-Z]{26}/);
  await page.close();
});

it.each([
  ['light', 1440],
  ['dark', 390],
] as const)('is accessible, %s at %i', async (scheme, width) => {
  const page = await open(scheme, width);
  for (const name of [HONEST, BROKEN]) {
    await give(page, name);
    await page.evaluate(AXE);
    const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] };
    expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
  }
  await page.close();
});

const heldState = (page: Page) => page.locator('[data-check="newer-log"]').getAttribute('data-state');
const box = (page: Page, title: string) => page.locator('section[data-state]', { has: page.getByRole('heading', { name: title }) });

it('holds the evidence against a log that was given, and shows what came after', async () => {
  const page = await open();
  await give(page, 'newer-suspended-001');
  await expect.poll(() => heldState(page)).toBe('skipped');
  await page.getByLabel('Choose a log folder').setInputFiles(join(CORPUS, 'newer-suspended-001/log'));
  await page.locator('[data-later]').waitFor();
  expect(await heldState(page)).toBe('pass');
  expect(await page.locator('[data-later] li').allInnerTexts()).toEqual([expect.stringMatching(/person\.suspended[^]*takes back/), expect.stringContaining('grant.ended')]);
  await page.evaluate(AXE);
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string }[] };
  expect(found.violations).toEqual([]);
  await page.getByRole('button', { name: 'Leave it out' }).click();
  await expect.poll(() => heldState(page)).toBe('skipped');
  expect(await page.locator('[data-later]').count()).toBe(0);
  await page.close();
});

it('takes this server’s log, says what that is worth, and holds its entries against a checkpoint of somebody else', async () => {
  const page = await open();
  await give(page, 'newer-suspended-001');
  await page.getByRole('button', { name: 'Use this server’s log' }).click();
  await page.getByText('This server has no checkpoint yet').waitFor();
  // Nothing is verified beside a log that was asked for and cannot be read.
  await expect.poll(() => page.locator('[data-check="container"]').count()).toBe(0);
  served = join(CORPUS, 'newer-suspended-001/log');
  await page.getByRole('button', { name: 'Use this server’s log' }).click();
  await expect.poll(() => heldState(page)).toBe('pass');
  expect(await box(page, 'A newer log').innerText()).toContain('not that it tells everybody the same');
  const pinned = page.getByLabel('Choose a checkpoint');
  await pinned.setInputFiles(join(CORPUS, 'newer-suspended-001/log/checkpoint'));
  await page.getByText('The checkpoint is yours').waitFor();
  await expect.poll(() => heldState(page)).toBe('pass');
  // A server that has rewritten what somebody else's checkpoint covers.
  served = join(CORPUS, 'newer-leaf-changed-001/log');
  await give(page, 'newer-leaf-changed-001');
  await pinned.setInputFiles(join(CORPUS, 'newer-leaf-changed-001/log/checkpoint'));
  await expect.poll(() => heldState(page)).toBe('fail');
  await expect.poll(() => box(page, 'A newer log').getAttribute('data-state')).toBe('bad');
  served = undefined;
  await page.close();
});

it('shows in no box that something is good when verification failed', async () => {
  const page = await open();
  const states = () => Promise.all(['Evidence', 'Your trust'].map((title) => box(page, title).getAttribute('data-state')));
  await give(page, BROKEN);
  await expect.poll(states).toEqual(['bad', 'ready']);
  expect(await box(page, 'Evidence').innerText()).toContain('Verification failed.');
  await give(page, HONEST);
  await expect.poll(states).toEqual(['pass', 'pass']);
  expect(await box(page, 'Evidence').innerText()).toContain('Verified.');
  await page.close();
});
