// Figures of the console on this machine: time to the first heading, and long tasks while a list of 5,000 open requests
// is scrolled and filtered. They are printed and not held to a limit, since a busy machine would fail them.
import { endAll, makeWorld, signIn } from './world.mjs';

const ROWS = 5000;
const PAGE = 200;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const world = await makeWorld();
const { page } = world.rest[0];

function idOf(position) {
  let rest = ROWS - position;
  let text = '';
  for (let digit = 0; digit < 16; digit += 1) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return `01K0000000${text}`;
}

const person = { person: '01K00000000000000000000000', name: 'Ben Booth' };
const item = (position) => ({ id: idOf(position), version: 1, state: 'pending', revision: 1, entitlement: 'ssh-admin', requester: person, beneficiary: person,
  title: 'Log in to a server', subject: `host${position}.example · deploy`, risk_score: position % 100, tier: ['low', 'medium', 'high', 'critical'][position % 4],
  grant_seconds: 900, waiting_for: ['service_owner'], created_at: '2026-03-01T10:00:00Z', updated_at: '2026-03-01T10:00:00Z', due_at: '2099-03-01T10:00:00Z' });

async function longestTask(work) {
  await page.evaluate(() => {
    globalThis.longTasks = [];
    new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  });
  await work();
  return page.evaluate(() => Math.max(0, ...globalThis.longTasks));
}

try {
  await signIn(world.rest[0]);
  await page.route((url) => url.pathname === '/api/v1/requests', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit') ?? PAGE);
    const items = Array.from({ length: Math.min(limit, ROWS - from) }, (_, offset) => item(from + offset));
    return route.fulfill({ json: { items, next_cursor: from + limit < ROWS ? String(from + limit) : null } });
  });
  await page.goto(`${world.base}/`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  const heading = await page.evaluate(() => performance.now());
  await page.getByText(String(ROWS), { exact: true }).waitFor({ timeout: 60_000 });
  const scrolling = await longestTask(async () => {
    for (let step = 0; step < 60; step += 1) {
      await page.mouse.move(400, 500);
      await page.mouse.wheel(0, 6000);
      await page.waitForTimeout(20);
    }
  });
  const filtering = await longestTask(async () => {
    await page.getByLabel('Filter by words').pressSequentially('host4999 ben', { delay: 40 });
    await page.getByText('1 of 5000').waitFor();
  });
  console.log(`first heading after ${Math.round(heading)} ms at most`);
  console.log(`longest task while scrolling ${ROWS} rows: ${Math.round(scrolling)} ms; while filtering them: ${Math.round(filtering)} ms (0: none over 50)`);
} finally {
  await endAll();
}
