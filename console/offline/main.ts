/** The page: takes a bundle, a trust directory and perhaps a newer log, and shows what verification finds. */

import { came, type Came, type Place } from '../src/verify/given';
import type { Lineage } from '../src/verify/lineage';
import { logFiles, type GivenLog } from '../src/verify/logFiles';
import { written } from '../src/verify/moment';
import { chosen, dropped, readAll, type Picked } from '../src/verify/picked';
import { reason, refuse } from '../src/verify/shape';
import { readTrust } from '../src/verify/trustDirectory';
import { trustFiles } from '../src/verify/trustFiles';
import { verifyZip, type Verification } from '../src/verify/verify';
import { drawBelieved } from './believed';
import { byId, element, prose } from './dom';
import { drawReport } from './report';

const PLACES = ['evidence', 'trust', 'log'] as const;
const LEFT_OUT = 'May be left out. Or drop it here: the folder, or both of these.';

let zip: Uint8Array | undefined;
let lineage: Lineage | undefined;
/** `unreadable`: one was given, and is not passed over in silence. */
let log: GivenLog | 'unreadable' | undefined;
/** Counts runs, so that a slow one does not draw over a later one. */
let run = 0;

function say(place: Place, state: 'waiting' | Came, text: string): void {
  byId(`${place}-drop`).dataset.state = state;
  byId(`${place}-said`).replaceChildren(...prose(text));
}

async function takeEvidence(files: Picked[]): Promise<void> {
  const [only, ...rest] = await readAll(files);
  zip = rest.length === 0 ? only?.bytes : undefined;
  if (only === undefined || zip === undefined) say('evidence', 'bad', 'Give one zip file.');
  else say('evidence', 'ready', `\`${only.path}\`, ${only.bytes.length.toLocaleString('en')} bytes.`);
  await show();
}

async function takeTrust(files: Picked[]): Promise<void> {
  try {
    lineage = await readTrust(await trustFiles(await readAll(files)));
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

async function takeLog(files: Picked[]): Promise<void> {
  try {
    log = await logFiles(files);
    if (!log.entries) refuse('only its checkpoint is there: give the folder in which `tile` stands beside it');
    say('log', 'ready', `Its checkpoint claims ${log.size.toLocaleString('en')} leaves of the log \`${log.origin}\`.`);
  } catch (error) {
    log = 'unreadable';
    say('log', 'bad', reason(error));
  }
  byId('log-out').hidden = false;
  await show();
}

async function leaveLogOut(): Promise<void> {
  log = undefined;
  say('log', 'waiting', LEFT_OUT);
  byId('log-out').hidden = true;
  await show();
}

async function show(): Promise<void> {
  run += 1;
  const mine = run;
  const report = byId('report');
  report.replaceChildren();
  delete report.dataset.state;
  for (const place of PLACES) settle(place, undefined);
  if (zip === undefined || lineage === undefined || log === 'unreadable') return;
  report.setAttribute('aria-busy', 'true');
  const newerLog = log;
  const verification = await verifyZip(zip, lineage, { now: Math.floor(Date.now() / 1000), newerLog });
  if (mine !== run) return;
  report.removeAttribute('aria-busy');
  report.replaceChildren(...drawReport(verification, newerLog?.size));
  report.dataset.state = verification.passed ? 'pass' : 'fail';
  for (const place of PLACES) settle(place, verification);
  report.focus();
}

const CAME: Record<Came, Record<Place, string>> = {
  pass: { evidence: 'Verified.', trust: 'It fits the evidence.', log: 'It continues the log of the evidence.' },
  bad: { evidence: 'Verification failed.', trust: 'It does not fit the evidence.', log: 'The evidence does not stand beside this log.' },
  ready: { evidence: '', trust: 'Verification failed elsewhere; this is not what failed.', log: 'Verification failed elsewhere; this is not what failed.' },
};

/** Says in a place how what was given there came out, by colour and in words; or takes back what an earlier run said. */
function settle(place: Place, verification: Verification | undefined): void {
  const drop = byId(`${place}-drop`);
  const said = byId(`${place}-said`);
  said.querySelector('.came')?.remove();
  const given = { evidence: zip, trust: lineage, log: log === 'unreadable' ? undefined : log }[place];
  if (given === undefined) return;
  const outcome = came(place, verification);
  drop.dataset.state = outcome;
  if (verification !== undefined) said.append(element('strong', { class: 'came' }, ` ${CAME[outcome][place]}`));
}

function listen(place: Place, inputs: string[], take: (files: Picked[]) => Promise<void>): void {
  const drop = byId(`${place}-drop`);
  const taking = (files: Promise<Picked[]>): void => {
    files.then(take).catch((error: unknown) => say(place, 'bad', reason(error)));
  };
  for (const id of inputs) {
    const input = byId(id) as HTMLInputElement;
    input.addEventListener('change', () => {
      taking(Promise.resolve(chosen(input)));
      // So that choosing the same once more is a choice too.
      input.value = '';
    });
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
listen('log', ['log-folder'], takeLog);
byId('log-out').addEventListener('click', () => void leaveLogOut());
