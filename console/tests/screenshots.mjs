// Pictures of every screen, 1440 × 900 and 390 × 844, light and dark: `make screenshots`, into target/screenshots.
import { mkdir } from 'node:fs/promises';
import { makeWorld, signIn, CHANGE, LOGIN } from './browser/world.mjs';

const OUT = new URL('../../target/screenshots/', import.meta.url);
const SIZES = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];

await mkdir(OUT, { recursive: true });
const world = await makeWorld();
const { ben, rest: [cyd] } = world;

async function picture(person, name, schemes = ['light', 'dark']) {
  for (const size of SIZES) for (const colorScheme of schemes) {
    await person.page.setViewportSize(size);
    await person.page.emulateMedia({ colorScheme });
    await person.page.waitForTimeout(300);
    await person.page.screenshot({ path: new URL(`${name}-${size.width}-${colorScheme}.png`, OUT).pathname });
  }
  await person.page.setViewportSize(SIZES[0]);
}

try {
  await cyd.page.goto(`${world.base}/`);
  await cyd.button('Sign in with a passkey').waitFor();
  await picture(cyd, 'sign-in');
  await signIn(cyd);
  await picture(cyd, 'inbox-empty');
  const change = await world.request(ben, CHANGE);
  await world.request(ben, LOGIN);
  await cyd.page.goto(`${world.base}/`);
  await cyd.page.getByRole('list', { name: 'Requests' }).getByRole('link').first().waitFor();
  await picture(cyd, 'inbox');
  await cyd.page.goto(`${world.base}/inbox/${change}`);
  await cyd.heading(/Ben Booth asks for/).waitFor();
  await picture(cyd, 'decision-high');
} finally {
  for (const person of world.people) if (person.faults.length) console.log(person.name, person.faults);
  await world.stop();
}
