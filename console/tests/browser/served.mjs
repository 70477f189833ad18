// Stands in for a binary that does not embed the console: its files and its policy, under the server's own origin.
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

const DIST = process.env.CONSOLE_DIST ? pathToFileURL(process.env.CONSOLE_DIST) : new URL('../../dist/', import.meta.url);
const NONCE = 'bm9uY2UtZm9yLXRlc3Rz';
const POLICY = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${NONCE}'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default`;
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html' };

export async function serveConsole(context, base) {
  await context.route((url) => url.origin === base && /^\/(assets\/.*|icon\.svg|inbox\/.*|requests.*|audit|verify|me|admin.*)?$/.test(url.pathname), async (route) => {
    const { pathname } = new URL(route.request().url());
    const file = extname(pathname) ? pathname.slice(1) : 'index.html';
    const body = await readFile(new URL(file, DIST));
    const html = file === 'index.html';
    await route.fulfill({
      contentType: TYPES[extname(file)] ?? 'application/octet-stream',
      headers: html ? { 'content-security-policy': POLICY, 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' } : {},
      body: html ? body.toString().replaceAll('__CSP_NONCE__', NONCE) : body,
    });
  });
}
