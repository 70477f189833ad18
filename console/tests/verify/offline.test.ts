/** The offline file, as it is shipped, in a real browser and from disk. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CORPUS, readCorpus, type Case } from './corpus';

const FILE = join(import.meta.dirname, '../../dist-offline/chancery-verify.html');
/** How long a step may hang, in milliseconds: machines are slow, and nothing here measures time. */
const PATIENCE = 120_000;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Real certificates, and bundles without any: the shipped file reads no stand-ins. Each set of failing checks once. */
function sample(): Case[] {
  const alone = readCorpus().filter(({ log }) => log === undefined);
  const readable = alone.filter(({ verdict }) => verdict.certificates === 'ssh' || verdict.checks['lease-intended'] === 'skipped');
  return [...new Map(readable.map((one) => [one.verdict.failed.join(), one])).values()];
}

let browser: Browser;
const scratch = mkdtempSync(join(tmpdir(), 'chancery-offline-'));

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});

afterAll(async () => {
  await browser.close();
  rmSync(scratch, { recursive: true });
});

interface Opened {
  page: Page;
  /** What the browser said of refused sources, errors, and requests that were made. */
  noise: string[];
}

async function open(scheme: 'light' | 'dark' = 'light', width = 1440, height = 900): Promise<Opened> {
  const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height } });
  const noise: string[] = [];
  page.setDefaultTimeout(PATIENCE);
  page.on('console', (message) => noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(String(error)));
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(FILE).href) noise.push(`request ${request.url()}`);
  });
  await page.goto(pathToFileURL(FILE).href);
  return { page, noise };
}

async function give(page: Page, name: string, trust: 'folder' | 'file' = 'folder'): Promise<void> {
  await page.setInputFiles('#evidence', join(CORPUS, name, 'bundle.zip'));
  if (trust === 'folder') await page.setInputFiles('#trust-folder', join(CORPUS, name, 'trust'));
  else await page.setInputFiles('#trust', join(CORPUS, name, 'trust/trust.json'));
  await page.waitForSelector('#report[data-state] .banner');
}

async function failing(page: Page): Promise<string[]> {
  return page.locator('.checks > li[data-state="fail"]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-check') ?? ''));
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

const HELD = readCorpus().filter(({ log }) => log !== undefined);

async function giveLog(page: Page, name: string): Promise<void> {
  await page.setInputFiles('#log-folder', join(CORPUS, name, 'log'));
  await page.waitForSelector('#log-drop:not([data-state="waiting"])[data-state]');
  await page.waitForSelector('#report[data-state] .banner');
}

/** As from a file manager: the browser itself reads what is dropped. */
async function drop(page: Page, place: string, files: string[]): Promise<void> {
  await page.locator(place).scrollIntoViewIfNeeded();
  const box = await page.locator(place).boundingBox();
  if (box === null) throw new Error(`\`${place}\` is not shown`);
  const developer = await page.context().newCDPSession(page);
  const [x, y, data] = [box.x + box.width / 2, box.y + box.height / 2, { items: [], files, dragOperationsMask: 1 }];
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await developer.send('Input.dispatchDragEvent', { type, x, y, data });
  await developer.detach();
}

async function state(page: Page, place: 'evidence' | 'trust' | 'log'): Promise<string | null> {
  return page.locator(`#${place}-drop`).getAttribute('data-state');
}

describe('the offline verifier', () => {
  it('was built', () => {
    expect(existsSync(FILE), 'run `npm run offline`').toBe(true);
    expect(readFileSync(FILE, 'utf8')).not.toMatch(/https?:\/\/(?!in-toto\.io)[a-z]/);
  });

  it.each(sample().map((one) => [one.name, one] as const))('%s', async (name, { verdict, trust }) => {
    const { page, noise } = await open();
    // Of version 1, `trust.json` alone says all that the folder says.
    await give(page, name, trust.has('history.json') || name.length % 2 === 0 ? 'folder' : 'file');
    expect(await failing(page)).toEqual(verdict.failed.filter((check) => check !== 'verdict-replay'));
    expect(noise).toEqual([]);
    await page.close();
  });

  it('says what it does not check, and never as a pass', async () => {
    const { page } = await open();
    await give(page, 'certificate-honest-001');
    const replay = page.locator('li[data-check="verdict-replay"]');
    expect(await replay.getAttribute('data-state')).toBe('not checked here');
    expect(await page.locator('.banner').innerText()).toContain('chancery verify');
    expect(await page.locator('.unproved').innerText()).toContain('verdict-replay');
    await page.close();
  });

  it.each([
    ['light', 1440, 900],
    ['dark', 1440, 900],
    ['light', 390, 844],
    ['dark', 390, 844],
  ] as const)('is accessible, %s at %i × %i', async (scheme, width, height) => {
    const { page } = await open(scheme, width, height);
    expect(await violations(page)).toEqual([]);
    for (const name of ['certificate-honest-001', 'certificate-cut-001']) {
      await give(page, name);
      expect(await violations(page), name).toEqual([]);
      const sideways = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      expect(sideways, `${name} scrolls sideways`).toBe(false);
    }
    await page.close();
  });

  it('refuses the copy of trust inside the evidence, and says so', async () => {
    const { page } = await open();
    await page.setInputFiles('#trust', join(CORPUS, 'certificate-honest-001/bundle.zip'));
    await page.waitForSelector('#trust-drop[data-state="bad"]');
    expect(await page.locator('#trust-said').innerText()).toContain('proves nothing');
    await page.setInputFiles('#evidence', join(CORPUS, 'certificate-honest-001/bundle.zip'));
    expect(await page.locator('.banner').count()).toBe(0);
    await page.close();
  });

  it('follows a later version of the trust root from the first one, and says what is missing', async () => {
    const { page } = await open();
    const succeeded = readCorpus().find(({ trust, verdict }) => trust.has('history.json') && verdict.certificates === 'ssh' && verdict.failed.length === 0);
    if (succeeded === undefined) throw new Error('the corpus has no successor of a trust root');
    const file = (name: string) => join(CORPUS, succeeded.name, 'trust', name);
    await page.setInputFiles('#trust', file('trust.json'));
    await page.waitForSelector('#trust-drop[data-state="bad"]');
    expect(await page.locator('#trust-said').innerText()).toContain('trust/history.json');
    expect(await page.locator('#believed').innerText()).toBe('');
    await page.setInputFiles('#trust', ['trust.json', 'history.json', 'signatures.json'].map(file));
    await page.waitForSelector('#trust-drop[data-state="ready"]');
    const believed = await page.locator('#believed').innerText();
    expect(believed).toContain('Version 1');
    expect(believed).toMatch(/Version 2[^]*signed by [0-9A-Z]{26}, [0-9A-Z]{26}/);
    await page.setInputFiles('#evidence', join(CORPUS, succeeded.name, 'bundle.zip'));
    await page.waitForSelector('#report[data-state="pass"] .banner');
    expect(await violations(page)).toEqual([]);
    await page.close();
  });

  it('draws nothing of an earlier file beside a later one', async () => {
    const { page } = await open();
    await give(page, 'certificate-honest-001');
    const broken = join(scratch, 'broken.zip');
    writeFileSync(broken, 'no zip');
    await page.setInputFiles('#evidence', broken);
    await page.waitForSelector('#report[data-state="fail"] .banner');
    expect(await failing(page)).toEqual(['container']);
    expect(await page.locator('#report dl').count()).toBe(0);
    await page.close();
  });

  it.each(HELD.map((one) => [one.name, one] as const))('held against a newer log: %s', async (name, { verdict }) => {
    const { page, noise } = await open();
    await page.setInputFiles('#log-folder', join(CORPUS, name, 'log'));
    await page.waitForSelector('#log-drop[data-state]');
    if ((await state(page, 'log')) === 'bad') {
      // What is no log at all is said before anything else, and nothing is verified without it.
      expect(verdict.failed).toEqual(['newer-log']);
      await page.setInputFiles('#evidence', join(CORPUS, name, 'bundle.zip'));
      await page.setInputFiles('#trust-folder', join(CORPUS, name, 'trust'));
      await page.waitForSelector('#trust-drop[data-state="ready"]');
      expect(await page.locator('.banner').count()).toBe(0);
      await page.click('#log-out');
    } else {
      await give(page, name);
      const held = page.locator('li[data-check="newer-log"]');
      expect(await held.getAttribute('data-state')).toBe(verdict.checks['newer-log']);
      // The file reads no stand-ins for certificates, which is another check's business.
      expect((await failing(page)).filter((check) => check !== 'lease-intended' && check !== 'attestation-content')).toEqual(verdict.failed);
      const rows = page.locator('.later li');
      expect(await rows.locator('code').allInnerTexts()).toEqual(verdict.later.map(([, , kind]) => kind));
    }
    expect(noise).toEqual([]);
    await page.close();
  });

  it('shows what came after, and what of it takes something back', async () => {
    const { page } = await open();
    await give(page, 'newer-suspended-001');
    expect(await page.locator('li[data-check="newer-log"]').getAttribute('data-state')).toBe('skipped');
    expect(await page.locator('.unproved').innerText()).toContain('nothing came after');
    await giveLog(page, 'newer-suspended-001');
    await page.waitForSelector('.later');
    expect(await page.locator('.later li[data-takes-back="true"] code').allInnerTexts()).toEqual(['person.suspended']);
    expect(await page.locator('.banner').innerText()).toContain('Since then something was taken back');
    expect(await page.locator('.unproved').innerText()).not.toContain('nothing came after');
    expect(await violations(page)).toEqual([]);
    await page.click('#log-out');
    await page.waitForSelector('#report[data-state] .banner');
    expect(await page.locator('.later').count()).toBe(0);
    await page.close();
  });

  it('takes no checkpoint without its leaves', async () => {
    const { page } = await open();
    const folder = join(scratch, 'log');
    mkdirSync(folder);
    copyFileSync(join(CORPUS, 'newer-same-001/log/checkpoint'), join(folder, 'checkpoint'));
    await page.setInputFiles('#log-folder', folder);
    await page.waitForSelector('#log-drop[data-state="bad"]');
    expect(await page.locator('#log-said').innerText()).toContain('only its checkpoint');
    await page.close();
  });

  it('takes what is dropped: a file, a folder, and the parts of one', async () => {
    const { page } = await open();
    const log = join(CORPUS, 'newer-suspended-001/log');
    await drop(page, '#evidence-drop', [join(CORPUS, 'newer-suspended-001/bundle.zip')]);
    await page.waitForSelector('#evidence-drop[data-state="ready"]');
    await drop(page, '#trust-drop', [join(CORPUS, 'newer-suspended-001/trust')]);
    await page.waitForSelector('#report[data-state] .banner');
    for (const paths of [[log], [join(log, 'checkpoint'), join(log, 'tile')]]) {
      await drop(page, '#log-drop', paths);
      await page.waitForSelector('li[data-check="newer-log"][data-state="pass"]');
      await page.click('#log-out');
      await page.waitForSelector('li[data-check="newer-log"][data-state="skipped"]');
    }
    await page.close();
  });

  it('shows in no box that something is good when verification failed', async () => {
    const { page } = await open();
    await give(page, 'certificate-cut-001');
    expect([await state(page, 'evidence'), await state(page, 'trust')]).toEqual(['bad', 'ready']);
    expect(await page.locator('#evidence-said').innerText()).toContain('Verification failed');
    await give(page, 'certificate-honest-001');
    await page.waitForSelector('#report[data-state="pass"]');
    expect([await state(page, 'evidence'), await state(page, 'trust')]).toEqual(['pass', 'pass']);
    expect(await page.locator('#evidence-said').innerText()).toContain('Verified.');
    await page.close();
  });
});
