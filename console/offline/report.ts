/** What was found, drawn: the outcome, what came after, what it is about, each check by name, and what is not proved. */

import { withoutUnreached, type Check } from '../src/verify/checks';
import { personOf, takesBack } from '../src/verify/later';
import type { LaterEvent } from '../src/verify/newer';
import type { Story } from '../src/verify/story';
import type { Verification } from '../src/verify/verify';
import { element, prose, time, visible } from './dom';

const STATES = { pass: 'pass', fail: 'FAIL', skipped: 'skipped', 'not checked here': 'not checked here' } as const;

/** `leaves` are those of the newer log, when one was given. */
export function drawReport(verification: Verification, leaves: number | undefined): HTMLElement[] {
  return [banner(verification), ...later(verification, leaves ?? 0), ...story(verification), checks(verification), unproved(verification)];
}

function banner({ passed, failed, checks, later: after }: Verification): HTMLElement {
  const unchecked = checks.filter(({ outcome }) => outcome.state === 'not checked here').map(({ name }) => name);
  const count = checks.filter(({ outcome }) => outcome.state === 'pass').length;
  const title = passed ? 'Verified, as far as a browser can' : 'Verification failed';
  const said = passed ? `${count} checks passed, none failed.` : `${failed.length === 1 ? 'This check' : 'These checks'} failed: ${failed.map((name) => `\`${name}\``).join(', ')}. Believe nothing of what is shown below.`;
  const lines = [element('p', {}, ...prose(said))];
  if (after.some(takesBack)) lines.push(element('p', {}, 'Since then something was taken back: see what came after.'));
  if (unchecked.length > 0) {
    lines.push(element('p', {}, ...prose(`Not checked here: ${unchecked.map((name) => `\`${name}\``).join(', ')}. \`chancery verify\` does that as well.`)));
  }
  return element('section', { class: 'banner', 'data-state': passed ? 'pass' : 'fail', role: 'status' }, element('h2', {}, title), ...lines);
}

/** What happened after the bundle: the reason why somebody gives a newer log. */
function later({ later: events, checks: all, story: told }: Verification, leaves: number): HTMLElement[] {
  const held = all.some(({ name, outcome }) => name === 'newer-log' && outcome.state === 'pass');
  if (events.length === 0 && !held) return [];
  if (events.length === 0) {
    const said = `Up to the ${leaves.toLocaleString('en')} leaves of the newer log, nothing more happened to this request, to the people in its evidence and to the policy.`;
    return [element('section', { class: 'card later' }, element('h2', {}, 'Nothing came after this bundle'), element('p', { class: 'hint' }, said))];
  }
  const takenBack = events.some(takesBack);
  const title = events.length === 1 ? 'One event came after this bundle' : `${events.length.toLocaleString('en')} events came after this bundle`;
  const hint = takenBack ? [element('p', { class: 'hint' }, 'What is marked takes something back: what the bundle shows may no longer hold.')] : [];
  const rows = events.map((event) => laterRow(event, told));
  const state = takenBack ? 'taken back' : 'plain';
  return [element('section', { class: 'card later', 'data-state': state }, element('h2', {}, title), ...hint, element('ul', { role: 'list' }, ...rows))];
}

function laterRow(event: LaterEvent, told: Story): HTMLElement {
  const person = personOf(event);
  const about = person === undefined ? (event.stream === 'policy' ? 'the policy' : 'this request') : visible(told.nameOf(person));
  const kind = element('code', {}, visible(event.kind));
  const marked = takesBack(event) ? [element('strong', {}, 'takes back')] : [];
  const rest = [element('span', {}, about), time(event.at), element('span', {}, `leaf ${event.index.toLocaleString('en')}`)];
  return element('li', { 'data-takes-back': String(takesBack(event)) }, kind, ...marked, ...rest);
}

function story({ story: told, passed }: Verification): HTMLElement[] {
  if (told.document === undefined) return [];
  const title = passed ? 'What it is about' : 'What it says it is about';
  return [element('section', { class: 'card' }, element('h2', {}, title), facts(told), timeline(told))];
}

function facts(told: Story): HTMLElement {
  const { document, grant, risk } = told;
  const rows: [string, (Node | string)[]][] = [
    ['State', [told.state?.replaceAll('_', ' ') ?? '']],
    ['Asked for', [told.title ?? document?.entitlement.name ?? '']],
    ['By', [visible(told.nameOf(document?.requester ?? ''))]],
    ...Object.entries(document?.parameters ?? {}).map(([name, value]): [string, string[]] => [visible(name), [visible(String(value))]]),
    ['Reason', [visible(told.justification ?? 'redacted or withheld')]],
    ['Ticket', [visible(document?.ticket ?? 'none')]],
    ['Risk', [risk === undefined ? 'not judged' : `${risk.score}, ${risk.tier}`]],
    ...told.decisions.map(({ person, decision, reason, at }): [string, (Node | string)[]] => [
      visible(decision.replaceAll('_', ' ')),
      [visible(told.nameOf(person)), ', ', time(at), reason === undefined ? '' : `: ${visible(reason)}`],
    ]),
    ['Grant', grant === undefined ? ['never started'] : [time(grant.startedAt), ' to ', time(grant.endsAt)]],
    ['Request digest', [element('code', {}, told.requestSha256 ?? '')]],
  ];
  return element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, ...value)]));
}

function timeline({ events }: Story): HTMLElement {
  const head = element('tr', {}, ...['Leaf', 'When, by the log', 'What'].map((name) => element('th', { scope: 'col' }, name)));
  const rows = events.map(({ index, at, kind }) => element('tr', {}, element('td', {}, String(index)), element('td', {}, time(at)), element('td', {}, element('code', {}, kind))));
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
}

function checks({ checks: all }: Verification): HTMLElement {
  const rows = all.map(check);
  return element('section', { class: 'card' }, element('h2', {}, 'Checks'), element('ul', { class: 'checks', role: 'list' }, ...rows));
}

function check({ name, proves, outcome }: Check): HTMLElement {
  const parts = [
    element('span', { class: 'state' }, STATES[outcome.state]),
    element('span', { class: 'mono' }, name),
    element('span', { class: 'proves' }, proves),
  ];
  if (outcome.state === 'fail') {
    parts.push(element('ul', { class: 'problems', role: 'list' }, ...outcome.problems.map((problem) => element('li', {}, ...prose(problem)))));
  }
  if ('reason' in outcome) parts.push(element('span', { class: 'why' }, ...prose(outcome.reason)));
  return element('li', { 'data-state': outcome.state, 'data-check': name }, ...parts);
}

function unproved({ notProved }: Verification): HTMLElement {
  const lines = withoutUnreached(notProved).map((line) => element('li', {}, ...prose(line)));
  const hint = element('p', { class: 'hint' }, 'Nothing above shows this, whatever passed:');
  return element('section', { class: 'card' }, element('h2', {}, 'Not proved'), hint, element('ul', { class: 'unproved' }, ...lines));
}
