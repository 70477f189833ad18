// Fails when more packages than promised run in the browser, when one has an install script, or when the lock file
// names a place to fetch from.
import { readFileSync } from 'node:fs';

const MOST = 60;
const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const runtime = packages.filter(([, one]) => !one.dev && !one.devOptional && !one.optional);
const scripted = runtime.filter(([, one]) => one.hasInstallScript).map(([path]) => path);
const placed = packages.filter(([, one]) => one.resolved).map(([path]) => path);
console.log(`${runtime.length} of at most ${MOST} packages run in the browser`);
if (runtime.length > MOST) throw new Error('too many');
if (scripted.length > 0) throw new Error(`these have an install script: ${scripted.join(', ')}`);
if (placed.length > 0) throw new Error(`these name a place to fetch from: ${placed.join(', ')}`);
