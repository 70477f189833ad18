/** The console's screen, in a real browser: it draws what the library finds, and nothing of a file that was replaced. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { chromium, type Browser, type Page } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CORPUS, readCorpus } from './corpus';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HONEST = 'certificate-honest-001';
const BROKEN = 'certificate-cut-001';

let browser: Browser;
let document: string;

beforeAll(async () => {
  const here = join(import.meta.dirname, 'screen');
  const made = (await build({
    configFile: false,
    root: here,
    logLevel: 'warn',
    plugins: [react()],
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, target: 'es2023', lib: { entry: join(here, 'main.tsx'), formats: ['iife'], name: 'screen' } },
  })) as Rollup.RollupOutput[];
  const parts = made.flatMap(({ output }) => output);
  const script = parts.flatMap((part) => (part.type === 'chunk' ? [part.code] : []))[0] ?? '';
  const style = parts.flatMap((part) => (part.type === 'asset' && part.fileName.endsWith('.css') ? [String(part.source)] : []))[0] ?? '';
  const escaped = script.replaceAll('</script', '<\\/script');
  document = `<!doctype html><html lang="en"><head><title>Verify</title><style>${style}</style></head><body><main id="console"></main><script>${escaped}</script></body></html>`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});

afterAll(async () => {
  await browser.close();
});

async function open(scheme: 'light' | 'dark' = 'light', width = 1440): Promise<Page> {
  const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 900 } });
  page.setDefaultTimeout(0);
  // A secure context, as the product is; nothing is fetched.
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body: document }));
  await page.goto('http://localhost/');
  return page;
}

async function give(page: Page, name: string): Promise<void> {
  const [evidence, , folder] = await page.locator('input[type="file"]').all();
  await evidence?.setInputFiles(join(CORPUS, name, 'bundle.zip'));
  await folder?.setInputFiles(join(CORPUS, name, 'trust'));
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
  const [, trust] = await page.locator('input[type="file"]').all();
  await trust?.setInputFiles(join(CORPUS, HONEST, 'bundle.zip'));
  await page.getByText('proves nothing').waitFor();
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
