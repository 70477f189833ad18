// Attested passkeys, with a maker that nobody here made: the browser's own authenticator, whose attestation
// certificate is read from its first registration and written into the configuration.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from './chancery.mjs';
import { beginApproval, enrol, go, launch, newPerson, signIn } from './people.mjs';

const APPROVAL = { entitlement: 'role-grant', set: { role: 'auditor' }, artifacts: [], undo: [], reason: 'the yearly audit', ticket: 'OPS-7' };

let world, browser, ada, ben, sue, erin;

// A registration of its own on a page of its own: the bytes of the certificate, and of the model.
async function makerOf(browser) {
  const { page, context } = await newPerson(browser, 'http://localhost:1', 'Nobody');
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto('http://localhost:1/');
  const object = Buffer.from(await page.evaluate(async () => {
    const credential = await navigator.credentials.create({ publicKey: { challenge: new Uint8Array(32), attestation: 'direct',
      rp: { id: 'localhost', name: 'x' }, user: { id: new Uint8Array(8), name: 'x', displayName: 'x' },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }], authenticatorSelection: { userVerification: 'required' } } });
    return [...new Uint8Array(credential.response.attestationObject)];
  }));
  await context.close();
  // After the name: an array of one, and a byte string whose length takes two bytes.
  const at = object.indexOf('x5c') + 7;
  const certificate = object.subarray(at, at + object.readUInt16BE(at - 2));
  // After the name: a byte string whose length takes one byte; the model stands behind hash, flags and counter.
  const data = object.subarray(object.indexOf('authData') + 10);
  const hex = data.subarray(37, 53).toString('hex');
  return { pem: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
    model: [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-') };
}

before(async () => {
  browser = await launch();
  const { pem, model } = await makerOf(browser);
  world = await start(async (data) => {
    const file = join(data, 'chancery.toml');
    await writeFile(join(data, 'maker.pem'), pem);
    const roots = `attestation_roots = [{ certificate = "maker.pem", aaguids = ["${model}"] }]`;
    const text = await readFile(file, 'utf8');
    assert.ok(text.includes('attestation_roots = []'));
    await writeFile(file, text.replace('attestation_roots = []', roots));
  });
  [ada, ben, sue, erin] = await Promise.all(['Ada Ames', 'Ben Booth', 'Sue Stone', 'Erin Eads'].map((name) => newPerson(browser, world.base, name)));
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

async function invite(roles) {
  await go(ada, '/sign#/people');
  await ada.page.getByLabel('Roles', { exact: true }).fill(roles);
  await ada.button('Make a one-time link').click();
  return ada.page.locator('#invitation-url').textContent();
}

async function admit(person, roles) {
  await enrol(person, await invite(roles));
  for (const administrator of [ada, ben]) {
    await go(administrator, administrator === ada ? '/sign#/people' : '/sign');
    await administrator.page.getByRole('link', { name: administrator === ada ? person.name : 'Let a person join' }).click();
    await administrator.page.getByText('its maker, who was believed').waitFor();
    await administrator.button('Sign with passkey').click();
    await administrator.heading(administrator === ada ? /another administrator has to sign/ : 'Recorded').waitFor();
  }
}

const attested = (person) => ada.page.evaluate(async (id) => {
  const answer = await fetch(`/api/v1/persons/${id}`);
  return (await answer.json()).passkeys.map((passkey) => [passkey.attested, passkey.backup_eligible]);
}, person.id);

test('the browser passes the model on, before the seal and after it', async () => {
  await enrol(ada, world.firstLink());
  await signIn(ada);
  await enrol(ben, await invite('identity_admin'));
  await world.seal();
  await signIn(ben);
  await admit(sue, 'security');
  await admit(erin, 'engineer');
  for (const person of [ada, ben, sue, erin]) assert.deepEqual(await attested(person), [[true, false]], person.name);
});

test('what only hardware may approve is approved', async () => {
  const login = await world.login(erin);
  await signIn(erin);
  await go(erin, login.url.slice(world.base.length));
  await erin.button('Continue').click();
  await erin.button('It is the same: sign with passkey').click();
  await erin.heading('Signed in').waitFor();
  await login.done();
  const request = await world.request(erin, APPROVAL);
  await signIn(sue);
  await go(sue, `/review/${request}`);
  await beginApproval(sue, world.digits(request));
  await sue.button('Sign: approve').click();
  await sue.heading('Recorded').waitFor();
  const view = await erin.page.evaluate(async (id) => (await fetch(`/api/v1/requests/${id}`)).json(), request);
  assert.equal(view.state, 'approved');
});
