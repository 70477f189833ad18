/** The page: takes a bundle and a trust directory, and shows what verification finds as soon as both are there. */

import type { Lineage } from '../src/verify/lineage';
import { written } from '../src/verify/moment';
import { chosen, dropped } from '../src/verify/picked';
import { reason } from '../src/verify/shape';
import { readTrust } from '../src/verify/trustDirectory';
import { trustFiles, type Dropped } from '../src/verify/trustFiles';
import { verifyZip } from '../src/verify/verify';
import { drawBelieved } from './believed';
import { byId, prose } from './dom';
import { drawReport } from './report';

let zip: Uint8Array | undefined;
let lineage: Lineage | undefined;
/** Counts runs, so that a slow one does not draw over a later one. */
let run = 0;

type Place = 'evidence' | 'trust';

function say(place: Place, state: 'ready' | 'bad', text: string): void {
  byId(`${place}-drop`).dataset.state = state;
  byId(`${place}-said`).replaceChildren(...prose(text));
}

async function takeEvidence(files: Dropped[]): Promise<void> {
  const [only, ...rest] = files;
  zip = rest.length === 0 ? only?.bytes : undefined;
  if (only === undefined || zip === undefined) say('evidence', 'bad', 'Give one zip file.');
  else say('evidence', 'ready', `\`${only.path}\`, ${only.bytes.length.toLocaleString('en')} bytes`);
  await show();
}

async function takeTrust(files: Dropped[]): Promise<void> {
  try {
    lineage = await readTrust(await trustFiles(files));
    const { document, logOrigin, sha256 } = lineage.newest;
    const until = written(document.expires_at).slice(0, 10);
    say('trust', 'ready', `Version ${document.version} for the log \`${logOrigin}\`, until ${until}. Its digest is \`${sha256}\`: compare it with what you were told.`);
    byId('believed').replaceChildren(drawBelieved(lineage));
  } catch (error) {
    lineage = undefined;
    byId('believed').replaceChildren();
    say('trust', 'bad', reason(error));
  }
  await show();
}

async function show(): Promise<void> {
  run += 1;
  const mine = run;
  const report = byId('report');
  report.replaceChildren();
  if (zip === undefined || lineage === undefined) return;
  report.setAttribute('aria-busy', 'true');
  const verification = await verifyZip(zip, lineage, { now: Math.floor(Date.now() / 1000) });
  if (mine !== run) return;
  report.removeAttribute('aria-busy');
  report.replaceChildren(...drawReport(verification));
  report.dataset.state = verification.passed ? 'pass' : 'fail';
  report.focus();
}

function listen(place: Place, inputs: string[], take: (files: Dropped[]) => Promise<void>): void {
  const drop = byId(`${place}-drop`);
  const taking = (files: Promise<Dropped[]>): void => {
    files.then(take).catch((error: unknown) => say(place, 'bad', reason(error)));
  };
  for (const id of inputs) {
    const input = byId(id) as HTMLInputElement;
    input.addEventListener('change', () => taking(chosen(input)));
  }
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.dataset.over = 'true';
  });
  drop.addEventListener('dragleave', () => delete drop.dataset.over);
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    delete drop.dataset.over;
    if (event.dataTransfer !== null) taking(dropped(event.dataTransfer));
  });
}

// A file that misses its place must not replace the page.
for (const kind of ['dragover', 'drop']) window.addEventListener(kind, (event) => event.preventDefault());
listen('evidence', ['evidence'], takeEvidence);
listen('trust', ['trust', 'trust-folder'], takeTrust);
