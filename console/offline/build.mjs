// Makes dist-offline/chancery-verify.html: one file without a dependency that works from disk. The same sources give the
// same bytes. Its policy names its one script and its one style by hash and forbids everything else.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'vite';

const here = new URL('.', import.meta.url);
const target = new URL('../dist-offline/', here);

const made = await build({
  configFile: false,
  root: here.pathname,
  logLevel: 'warn',
  build: {
    write: false,
    target: 'es2023',
    lib: { entry: new URL('main.ts', here).pathname, formats: ['iife'], name: 'chanceryVerify' },
  },
});
const [chunk, ...others] = made.flatMap(({ output }) => output);
if (others.length > 0 || chunk.type !== 'chunk') throw new Error('the verifier must be one script');
const script = chunk.code.trim();
if (/<\/script|<!--/i.test(script)) throw new Error('the script would end its own element');
const style = readFileSync(new URL('page.css', here), 'utf8').trim();

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const parts = { POLICY: policy, STYLE: style, SCRIPT: script };
const page = readFileSync(new URL('page.html', here), 'utf8').replace(/%(POLICY|STYLE|SCRIPT)%/g, (_, name) => parts[name]);
mkdirSync(target, { recursive: true });
writeFileSync(new URL('chancery-verify.html', target), page);
const size = (Buffer.byteLength(page) / 1000).toFixed(1);
console.log(`dist-offline/chancery-verify.html: ${size} kB, sha256 ${createHash('sha256').update(page).digest('hex')}`);
