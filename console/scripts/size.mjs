// Fails when what a browser loads is larger than promised, after brotli: the first load, and what each later route adds.
import { readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

const FIRST_LOAD = 150_000;
const ROUTE = 90_000;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
const sizes = new Map();

function compressed(file) {
  if (!sizes.has(file)) sizes.set(file, brotliCompressSync(readFileSync(new URL(file, dist))).length);
  return sizes.get(file);
}

// Everything that loads with a chunk: itself, what it imports at once, and their styles.
function files(key, found = new Set()) {
  const chunk = manifest[key];
  if (found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const style of chunk.css ?? []) found.add(style);
  for (const imported of chunk.imports ?? []) files(imported, found);
  return found;
}

const total = (set) => [...set].reduce((sum, file) => sum + compressed(file), 0);
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const shell = files(entry);
const routes = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry);
let failed = false;

function report(name, size, limit) {
  const over = size > limit;
  failed ||= over;
  console.log(`${over ? 'OVER ' : '     '}${(size / 1000).toFixed(1).padStart(6)} kB of ${limit / 1000}  ${name}`);
}

const inbox = routes.find((key) => key === 'src/routes/inbox.tsx');
const first = inbox ? new Set([...shell, ...files(inbox)]) : shell;
report('first load', total(first) + compressed('index.html'), FIRST_LOAD);
for (const key of routes) report(key, total([...files(key)].filter((file) => !shell.has(file))), ROUTE);
if (failed) process.exit(1);
