// Pictures of every screen, 1440 × 900 and 390 × 844, light and dark: `make screenshots`, into target/screenshots.
import { mkdir } from 'node:fs/promises';
import { endAll, makeWorld, signIn, CHANGE, LOGIN, PLAN } from './browser/world.mjs';

const OUT = new URL('../../target/screenshots/', import.meta.url);
const SIZES = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];

await mkdir(OUT, { recursive: true });
const world = await makeWorld();
const { ben, rest: [cyd, dee] } = world;

async function picture(person, name) {
  for (const size of SIZES) for (const colorScheme of ['light', 'dark']) {
    await person.page.setViewportSize(size);
    await person.page.emulateMedia({ colorScheme });
    await person.page.waitForTimeout(300);
    await person.page.screenshot({ path: new URL(`${name}-${size.width}-${colorScheme}.png`, OUT).pathname });
  }
  await person.page.setViewportSize(SIZES[0]);
}

async function decision(person, id, name) {
  await person.page.goto(`${world.base}/inbox/${id}`);
  await person.heading(/Ben Booth asks for/).waitFor();
  await picture(person, name);
}

try {
  await cyd.page.goto(`${world.base}/`);
  await cyd.button('Sign in with a passkey').waitFor();
  await picture(cyd, 'sign-in');
  await signIn(cyd);
  await signIn(dee);
  await picture(cyd, 'inbox-empty');
  const change = await world.request(ben, CHANGE);
  const login = await world.request(ben, LOGIN);
  const plan = await world.request(ben, PLAN);
  await dee.page.goto(`${world.base}/`);
  await dee.page.getByRole('list', { name: 'Requests' }).getByRole('link').first().waitFor();
  await picture(dee, 'inbox');
  await decision(dee, change, 'decision-sql');
  await decision(dee, login, 'decision-login');
  await decision(dee, plan, 'decision-plan');
  await dee.button('Approve …').click();
  await picture(dee, 'decision-approving');
  await dee.button('Back').click();
  await dee.button('Reject …').click();
  await picture(dee, 'decision-rejecting');
  await dee.page.getByLabel('Reason', { exact: true }).fill('Not during the sale.');
  await dee.button('Reject with passkey').click();
  await dee.page.getByText('Recorded').waitFor();
  await picture(dee, 'decision-recorded');
  await cyd.page.route('**/artifacts/**', (route) => route.fulfill({ body: 'DROP TABLE shop.orders;' }));
  await cyd.page.goto(`${world.base}/inbox/${change}`);
  await cyd.page.getByText('Do not sign this').waitFor();
  await picture(cyd, 'decision-refused');
} finally {
  for (const person of world.people) if (person.faults.length > 0) console.log(person.name, person.faults);
  await endAll();
}
