// The event stream: dropped and taken up again, nothing is missed and nothing comes twice. And the way without a mouse.
import assert from 'node:assert/strict';
import { looksRight } from './looks.mjs';
import { story } from './story.mjs';
import { CHANGE, signIn } from './world.mjs';

let world, ben, cyd;

const test = story('live', async (made) => {
  world = made;
  [ben, cyd] = [world.ben, ...world.rest];
});

const rows = (person) => person.page.getByRole('list', { name: 'Requests' }).getByRole('link');
const streams = (url) => url.pathname === '/api/v1/events';

// Every stream that the page opens, with the event it says it saw last; `cut` ends the present one.
async function watchStreams(person) {
  const opened = [];
  await person.page.addInitScript(() => {
    const original = globalThis.fetch;
    globalThis.cuts = [];
    globalThis.fetch = (input, options) => {
      if (!String(input?.url ?? input).endsWith('/api/v1/events')) return original(input, options);
      const controller = new AbortController();
      globalThis.cuts.push(controller);
      return original(input, { ...options, signal: AbortSignal.any([options.signal, controller.signal]) });
    };
  });
  person.page.on('request', (request) => {
    if (streams(new URL(request.url()))) opened.push(request.headers()['last-event-id']);
  });
  return { opened, cut: () => person.page.evaluate(() => globalThis.cuts.at(-1).abort()) };
}

test('a stream that was cut goes on where it ended: no gap, nothing twice', async () => {
  const { opened, cut } = await watchStreams(cyd);
  await signIn(cyd);
  await cyd.page.getByText('Live', { exact: true }).waitFor();
  const first = await world.request(ben, { ...CHANGE, ticket: 'OPS-1' });
  await cyd.button('Show 1 new request').waitFor();

  // While nothing can be opened, something happens.
  await cyd.page.route(streams, (route) => route.abort());
  await cut();
  await cyd.page.getByText('Not live: trying again').waitFor();
  const second = await world.request(ben, { ...CHANGE, ticket: 'OPS-2' });
  await cyd.button('Show 1 new request').waitFor();
  await cyd.page.unroute(streams);
  await cyd.page.getByText('Live', { exact: true }).waitFor();

  await cyd.button('Show 2 new requests').waitFor();
  assert.ok(opened.length >= 2 && Number(opened.at(-1)) > 0, `it goes on after leaf ${opened.at(-1)}`);
  await cyd.button('Show 2 new requests').click();
  const shown = await rows(cyd).evaluateAll((links) => links.map((link) => link.pathname.split('/').at(-1)));
  assert.deepEqual(shown.toSorted(), [first, second].toSorted());
});

test('the whole way without a mouse: list, decision, rejection', async () => {
  const { page } = cyd;
  await signIn(cyd);
  await rows(cyd).first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  assert.equal(await page.evaluate(() => document.activeElement.closest('li').dataset.position), '0');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /asks for/ }).waitFor();
  await page.keyboard.press('d');
  await page.getByLabel('Reason', { exact: true }).waitFor();
  await page.keyboard.type('the window is over');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Recorded').waitFor();
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.type), 'search');
  await page.keyboard.type('nothing like this');
  await page.getByText('Nothing matches').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.getByRole('searchbox', { name: /Type a command/ }).waitFor();
  await looksRight(cyd, 'palette');
  await page.keyboard.type('inbox');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('searchbox', { name: /Type a command/ }).waitFor({ state: 'detached' });
});

test('the keys are listed, can be switched off, and the dialog reads well', async () => {
  const { page } = cyd;
  await page.goto(`${world.base}/`);
  await rows(cyd).first().waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Preferences' }).waitFor();
  await page.getByText('Next in the list').waitFor();
  await looksRight(cyd, 'preferences');
  await page.getByLabel('Single keys').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.closest('[data-position]')), null);
});

test('who signs out is asked to sign in', async () => {
  await cyd.page.getByRole('button', { name: /Preferences/ }).first().click();
  await cyd.button('Sign out').click();
  await cyd.button('Sign in with a passkey').waitFor();
});
