// The whole way through the plain signing page, in a real browser, against the real server.
import { after, before, test as nodeTest } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { start } from './chancery.mjs';
import { testOwnFunctions } from './canonical.mjs';
import { canonical, changed, hex, reoffered } from './documents.mjs';
import { beginApproval, enrol, go, launch, looksRight, newPerson, signIn } from './people.mjs';

const UP = 'BEGIN;\nCREATE INDEX orders_created ON orders (created_at);\n-- \u202etxet neddih\u202c\nCOMMIT;\n';
const DOWN = 'DROP INDEX orders_created;\n';
const CHANGE = { entitlement: 'db-change', set: { database: 'payments', environment: 'production' },
  artifacts: [['up.sql', UP], ['down.sql', DOWN]], undo: ['down.sql'], reason: 'orders are timing out', ticket: 'OPS-1204' };

let world, browser, ada, ben, cyd, dee;

// The tests are one story: when a step fails, those after it would only fail of it.
let failed = false;
const test = (name, work) => nodeTest(name, async (context) => {
  if (failed) return context.skip('a step before failed');
  try {
    return await work();
  } catch (fault) {
    failed = true;
    for (const person of [ada, ben, cyd, dee]) context.diagnostic(`${person?.name} sees: ${await person?.page.innerText('body').catch(String)}`);
    throw fault;
  }
});

before(async () => {
  world = await start();
  browser = await launch();
  [ada, ben, cyd, dee] = await Promise.all(['Ada Ames', 'Ben Booth', 'Cyd Crane', 'Dee Drake'].map((name) => newPerson(browser, world.base, name)));
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

test('the first administrator enrols by the one-time link and signs in', async () => {
  await ada.page.goto(world.firstLink());
  await looksRight(ada, 'enrol');
  await enrol(ada, world.firstLink());
  assert.equal(new URL(ada.page.url()).hash, '', 'the token does not stay in the address');
  await signIn(ada);
  await ada.page.getByText('trust/ is not sealed').waitFor();
});

test('the one-time link works once', async () => {
  await go(dee, new URL(world.firstLink()).pathname + new URL(world.firstLink()).hash);
  await dee.page.locator('.refusal').waitFor();
});

async function invite(roles, attributes) {
  await go(ada, '/sign#/people');
  await ada.page.getByLabel('Roles', { exact: true }).fill(roles);
  await ada.page.getByLabel('Attributes', { exact: true }).fill(attributes);
  await ada.button('Make a one-time link').click();
  return ada.page.locator('#invitation-url').textContent();
}

test('the second administrator enrols by invitation, and trust is sealed', async () => {
  await enrol(ben, await invite('identity_admin, engineer', ''));
  await ben.heading('You are enrolled').waitFor();
  await world.seal();
  await signIn(ben);
  await ben.page.getByText('No request waits for you.').waitFor();
});

test('a person joins with the signatures of two administrators who compare the key', async () => {
  for (const [person, roles, attributes] of [[cyd, 'dba', 'business_unit=payments'], [dee, 'service_owner', 'business_unit=payments']]) {
    await enrol(person, await invite(roles, attributes));
    await person.heading('Now the administrators').waitFor();
    await go(ada, '/sign#/people');
    if (person === cyd) await looksRight(ada, 'people');
    await ada.page.getByRole('link', { name: person.name }).click();
    await signAct(ada, person, roles);
    if (person === cyd) await looksRight(ada, 'act-signed');
    await ada.heading(/another administrator has to sign/).waitFor();
    await go(ben, '/sign');
    await ben.page.getByRole('link', { name: 'Let a person join' }).click();
    await signAct(ben, person, roles);
    await ben.heading('Recorded').waitFor();
  }
});

async function signAct(administrator, person, roles) {
  const { page } = administrator;
  await administrator.heading('Let a person join').waitFor();
  await page.waitForFunction((text) => document.querySelector('.fingerprint').textContent === text, person.fingerprint);
  await page.getByText(roles, { exact: true }).waitFor();
  await page.getByText(person.name, { exact: true }).first().waitFor();
  await looksRight(administrator, 'act');
  await administrator.button('Sign with passkey').click();
}

test('one administrator cannot sign twice', async () => {
  await go(ada, '/sign#/people');
  await ada.page.getByLabel('Act', { exact: true }).selectOption('role.granted');
  await ada.page.getByLabel('Person', { exact: true }).selectOption(cyd.id);
  await ada.page.getByLabel('Role, or attribute').fill('engineer');
  await ada.button('Prepare …').click();
  await ada.heading('Give a role').waitFor();
  await ada.button('Sign with passkey').click();
  await ada.heading(/another administrator has to sign/).waitFor();
  await go(ada, '/sign#/people');
  await ada.page.getByRole('link', { name: 'Give a role' }).click();
  assert.ok(await ada.button('Sign with passkey').isDisabled());
  await ada.page.getByText('You signed it already').waitFor();
  await go(ben, '/sign');
  await ben.page.getByRole('link', { name: 'Give a role' }).click();
  await ben.button('Sign with passkey').click();
  await ben.heading('Recorded').waitFor();
});

test('a successor of the trust root is read, signed by two, and taken up', async () => {
  await world.propose('--set', '/floors/db-change/allow=true', '--set', '/floors/ssh-admin/maximum_seconds=600');
  await go(ada, '/sign#/people');
  await ada.page.getByRole('link', { name: 'Trust root, version 2' }).click();
  await ada.heading('Trust root, version 2').waitFor();
  await looksRight(ada, 'trust');
  const line = (place) => ada.page.locator('li', { has: ada.page.getByText(place, { exact: true }) });
  assert.match(await line('/floors/db-change/allow').innerText(), /lets more through[^]*false → true/);
  assert.doesNotMatch(await line('/floors/ssh-admin/maximum_seconds').innerText(), /lets more through/);
  await ada.button('Sign with passkey').click();
  await ada.heading(/another administrator has to sign/).waitFor();
  await go(ada, '/sign#/trust');
  await ada.page.getByText('You signed it already').waitFor();
  // A server that shows another present root, so that nothing seems to change.
  const before = await ben.signatures();
  await ben.page.route('**/api/v1/trust/successor', async (route) => {
    const response = await route.fetch();
    const offer = await response.json();
    const { floors } = JSON.parse(offer.successor);
    const current = changed(offer.current, (root) => { root.floors = floors; });
    await route.fulfill({ response, json: { ...offer, current, current_sha256: hex(current) } });
  });
  await go(ben, '/sign#/trust');
  await ben.heading('Do not sign').waitFor();
  assert.equal(await ben.signatures(), before);
  await ben.page.unrouteAll();
  await go(ben, '/sign#/trust');
  await ben.button('Sign with passkey').click();
  await ben.heading('Sealed').waitFor();
  await go(ben, '/sign#/trust');
  await ben.page.getByText('No successor of the trust root waits').waitFor();
});

let change;

test('a command line is signed in, and the page shows the code that it prints', async () => {
  const login = await world.login(ben);
  await go(ben, login.url.slice(world.base.length));
  await looksRight(ben, 'login');
  await ben.button('Continue').click();
  const shown = await ben.page.locator('.fingerprint').textContent();
  assert.equal(shown, login.code.trim());
  await looksRight(ben, 'login-code');
  await ben.button('It is the same: sign with passkey').click();
  await ben.heading('Signed in').waitFor();
  await login.done();
  change = await world.request(ben, CHANGE);
});

test('nobody is offered a decision on their own request', async () => {
  await go(ben, `/review/${change}`);
  await ben.page.getByText('This is your own request').waitFor();
  assert.equal(await ben.button(/approve|reject/i).count(), 0);
  await looksRight(ben, 'own');
});

test('the review shows all that is signed, hidden characters too', async () => {
  await signIn(cyd);
  await cyd.page.getByRole('link', { name: 'db-change' }).click();
  await cyd.button('Approve …').waitFor();
  const text = await cyd.page.locator('main').innerText();
  for (const part of ['Ben Booth', 'db-change', '15 minutes', 'payments', 'production', 'CREATE INDEX orders_created', 'U+202E', 'DROP INDEX',
    'undoes the change', 'orders are timing out', 'OPS-1204', 'dba', 'service_owner', ben.id]) assert.ok(text.includes(part), part);
  await looksRight(cyd, 'review');
  const points = await cyd.page.locator('tbody .number').allTextContents();
  const score = Number(await cyd.page.locator('tfoot .number').textContent());
  assert.equal(Math.min(100, points.reduce((sum, one) => sum + Number(one), 0)), score);
  await testOwnFunctions(cyd.page);
});

test('a person adds a second passkey with the first, and goes on signing with the one that signed in', async () => {
  const first = await cyd.page.evaluate(() => localStorage.getItem('chancery-passkey'));
  const unplug = await cyd.plugIn();
  await go(cyd, '/sign#/people');
  await cyd.button('Add a passkey').click();
  await cyd.heading('Add a passkey').waitFor();
  await unplug();
  await cyd.button('Sign with passkey').click();
  await cyd.heading('Recorded').waitFor();
  await go(cyd, '/sign#/people');
  await cyd.page.getByText('You have 2.').waitFor();
  const asked = cyd.page.waitForRequest((request) => request.url().endsWith('/decisions/options'));
  await go(cyd, `/review/${change}`);
  await beginApproval(cyd, world.digits(change));
  assert.equal((await asked).postDataJSON().credential_id, first);
  await cyd.button('Back').click();
  await cyd.button('Approve …').waitFor();
});

test('no key approves', async () => {
  const signed = await cyd.signatures();
  for (const key of ['a', 'y', 'A', 'Enter', 'Space', 'Control+Enter', 'Alt+a']) await cyd.page.keyboard.press(key);
  assert.equal(await cyd.signatures(), signed);
  assert.equal(await cyd.button(/^Sign:/).count(), 0);
});

// ---- What the page must refuse. `answer` changes what GET /requests/{id} says, `offer` what is offered for signing. ----

const inDocument = (change) => (view) => { view.document = changed(view.document, change); };
const consistently = (change) => (view) => {
  view.document = changed(view.document, change);
  view.request_sha256 = hex(view.document);
};
const inVerdict = (change) => (view) => { change(view.verdict); };
const verdictConsistently = (change) => (view) => {
  change(view.verdict);
  view.verdict_sha256 = hex(canonical(view.verdict));
};

const TAMPERED_ANSWERS = [
  ['a parameter', 'request digest', inDocument((document) => { document.parameters.database = 'archive'; })],
  ['a member that the page does not show', 'request document', consistently((document) => { document.also = 'drop everything'; })],
  ['white space', 'request document', (view) => { view.document = view.document.replace(',', ', '); view.request_sha256 = hex(view.document); }],
  ['another log', 'log', consistently((document) => { document.log_origin = 'elsewhere.example'; })],
  ['another type', 'request document', consistently((document) => { document.type = 'urn:chancery:decision:v1'; })],
  ['a member less', 'request document', consistently((document) => { delete document.undo; })],
  ...['entitlement', 'beneficiary', 'clocks'].map((member) => [`a hidden member of its ${member}`, member,
    consistently((document) => { document[member].also = 1; })]),
  ['a hidden member of an artifact', 'artifact', consistently((document) => { document.artifacts[0].also = 1; })],
  ['the size of an artifact', 'artifact up.sql, size', consistently((document) => { document.artifacts[0].size += 1; })],
  ['the request', 'request', (view) => { view.id = view.id.replace(/.$/, (last) => (last === '0' ? '1' : '0')); }],
  ['another request, whole', 'request', (view) => {
    const id = view.id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    consistently((document) => { document.id = id; })(view);
    view.id = id;
  }],
  ['the revision', 'revision', (view) => { view.revision += 1; }],
  ['whom it is for', 'beneficiary', (view) => { view.beneficiary = { person: dee.id, name: dee.name }; }],
  ['what is asked for', 'entitlement', (view) => { view.entitlement = 'ssh-admin'; }],
  ['a reason given twice', 'disclosure', (view) => { view.disclosures.push(view.disclosures[0]); }],
  ['a hidden member of the verdict', 'verdict', verdictConsistently((verdict) => { verdict.also = 1; })],
  ['a hidden member of the risk', 'risk', verdictConsistently((verdict) => { verdict.risk.also = 1; })],
  ['a number that is no integer', 'verdict', inVerdict((verdict) => { verdict.risk.score = 0.5; })],
  ['the requester', 'requester', (view) => { view.requester = { person: dee.id, name: dee.name }; }],
  ['the reason', 'disclosure', (view) => {
    const [salt, name] = JSON.parse(Buffer.from(view.disclosures[0], 'base64url'));
    view.disclosures[0] = Buffer.from(JSON.stringify([salt, name, 'nothing to see'])).toString('base64url');
  }],
  ['a risk detail', 'verdict digest', inVerdict((verdict) => { verdict.reasons.push({ rule: 'x', message: 'harmless', remedy: '' }); })],
  ['the score', 'sum of the risk factors', verdictConsistently((verdict) => { verdict.risk.score = 1; })],
  ['a quorum', 'stages', verdictConsistently((verdict) => { verdict.stages[0].quorum = 7; })],
];

const LIES_THAT_SHOW_LATER = [
  ['a parameter, digest and all', 'request', consistently((document) => { document.parameters.database = 'archive'; })],
  ['the verdict, digest and all', 'verdict digest', verdictConsistently((verdict) => { verdict.engine = 'another engine'; })],
  ['a denial that still waits', 'verdict', verdictConsistently((verdict) => { verdict.verdict = 'deny'; })],
  ['who may approve', 'stage', (view) => { for (const stage of view.stages) stage.eligible = []; }],
  ['when it may start', 'grant, not before', (view) => { view.clocks.not_before = '2020-01-01T00:00:00Z'; }],
  ['when it ends', 'grant, not after', (view) => { view.clocks.not_after = '2020-01-01T00:00:00Z'; }],
  ['the clock that is shown', 'grant, longest', (view) => { view.clocks.max_seconds = 60; }],
];

const TAMPERED_OFFERS = [
  ['the grant, without its challenge', 'challenge', (offer) => ({ ...offer, document: changed(offer.document, (one) => { one.grant.max_seconds = 86400; }) })],
  ['the grant', 'grant, longest', (offer) => reoffered(offer, 'decision', (one) => { one.grant.max_seconds = 86400; })],
  ['the end of the grant', 'grant, not after', (offer) => reoffered(offer, 'decision', (one) => { one.grant.not_after = '2099-01-01T00:00:00Z'; })],
  ['another request', 'request', (offer) => reoffered(offer, 'decision', (one) => { one.request.sha256 = hex('another'); })],
  ['another revision', 'request', (offer) => reoffered(offer, 'decision', (one) => { one.request.revision += 1; })],
  ['another verdict', 'verdict digest', (offer) => reoffered(offer, 'decision', (one) => { one.verdict_sha256 = hex('another'); })],
  ['another policy', 'policy digest', (offer) => reoffered(offer, 'decision', (one) => { one.policy_sha256 = hex('another'); })],
  ['another decision', 'decision', (offer) => reoffered(offer, 'decision', (one) => { one.decision = 'override'; })],
  ['another person', 'approver', (offer) => reoffered(offer, 'decision', (one) => { one.approver = ben.id; })],
  ['another stage', 'stage', (offer) => reoffered(offer, 'decision', (one) => { one.stages = [{ id: 'service_owner', quorum: 1 }]; })],
  ['another log', 'log', (offer) => reoffered(offer, 'decision', (one) => { one.log_origin = 'elsewhere.example'; })],
  ['no nonce', 'decision document', (offer) => reoffered(offer, 'decision', (one) => { delete one.nonce; })],
  ['a short nonce', 'nonce', (offer) => reoffered(offer, 'decision', (one) => { one.nonce = 'AAAA'; })],
  ['another relying party', 'relying party', (offer) => ({ ...offer, public_key: { ...offer.public_key, rpId: 'example.org' } })],
  ['an offer of tomorrow', 'time of the offer', (offer) => reoffered(offer, 'decision', (one) => {
    one.issued_at = '2099-01-01T00:00:00Z';
    one.expires_at = '2099-01-01T00:05:00Z';
  })],
  ['no passkey', 'passkey', (offer) => ({ ...offer, public_key: { ...offer.public_key, allowCredentials: [] } })],
  ['a reason that nobody gave', 'reason', (offer) => {
    const disclosure = Buffer.from(JSON.stringify(['AAAAAAAAAAAAAAAAAAAAAA', 'reason', 'I was told to'])).toString('base64url');
    return { ...reoffered(offer, 'decision', (one) => { one.reason_sha256 = hex(disclosure); }), disclosure };
  }],
  ['a reason without its words', 'reason', (offer) => reoffered(offer, 'decision', (one) => { one.reason_sha256 = hex('x'); })],
  ['no stage', 'stages', (offer) => reoffered(offer, 'decision', (one) => { one.stages = []; })],
  ['a larger stage', 'stage', (offer) => reoffered(offer, 'decision', (one) => { one.stages[0].quorum = 7; })],
  ['a hidden member of a stage', 'stage', (offer) => reoffered(offer, 'decision', (one) => { one.stages[0].also = 1; })],
  ['a hidden member of the grant', 'grant', (offer) => reoffered(offer, 'decision', (one) => { one.grant.also = 1; })],
  ['a hidden member of the checkpoint', 'checkpoint', (offer) => reoffered(offer, 'decision', (one) => { one.checkpoint.also = 1; })],
  ['an earlier start', 'grant, not before', (offer) => reoffered(offer, 'decision', (one) => { one.grant.not_before = '2020-01-01T00:00:00Z'; })],
  ['a member that the page does not show', 'decision document', (offer) => reoffered(offer, 'decision', (one) => { one.also = ['dba']; })],
  ['an offer that ended', 'time of the offer', (offer) => reoffered(offer, 'decision', (one) => { one.issued_at = '2020-01-01T00:00:00Z'; one.expires_at = '2020-01-01T00:05:00Z'; })],
  ['an endless offer', 'time of the offer', (offer) => reoffered(offer, 'decision', (one) => { one.expires_at = '2099-01-01T00:00:00Z'; })],
  ['another passkey', 'passkey', (offer) => reoffered(offer, 'decision', (one) => { one.credential_id_sha256 = hex('another'); })],
  ['a fingerprint', 'fingerprint', (offer) => ({ ...offer, fingerprint: '0000 0000 0000 0000 0000' })],
];

async function answering(person, pattern, change, work) {
  const { page } = person;
  await page.route(pattern, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, ...(await change(response)) });
  });
  try { await work(); } finally { await page.unroute(pattern); }
}
const json = (change) => async (response) => {
  const body = await response.json();
  return { json: change(body) ?? body };
};

async function refuses(person, what) {
  await person.heading('Do not sign this').waitFor();
  const said = await person.page.locator('.refusal li strong').allTextContents();
  assert.ok(said.some((one) => one.startsWith(what)), `says ${said.join(', ')} instead of ${what}`);
  assert.equal(await person.button(/approve|sign:|sign with/i).count(), 0, 'nothing to sign is offered');
}

const requestAnswer = (url) => new RegExp(`/api/v1/requests/[0-9A-Z]{26}$`).test(url.pathname);
const offerAnswer = (url) => url.pathname.endsWith('/decisions/options');

for (const [name, what, change_] of TAMPERED_ANSWERS) test(`refuses an answer with a changed detail: ${name}`, async () => {
  const signed = await cyd.signatures();
  await answering(cyd, requestAnswer, json(change_), async () => {
    await go(cyd, `/review/${change}`);
    await refuses(cyd, what);
    if (name === 'a parameter') await looksRight(cyd, 'refused');
  });
  assert.equal(await cyd.signatures(), signed);
});

for (const [name, what, change_] of LIES_THAT_SHOW_LATER) test(`refuses a consistent lie once the decision names the truth: ${name}`, async () => {
  const signed = await cyd.signatures();
  await answering(cyd, requestAnswer, json(change_), async () => {
    await go(cyd, `/review/${change}`);
    await beginApproval(cyd, world.digits(change));
    await refuses(cyd, what);
  });
  assert.equal(await cyd.signatures(), signed);
});

for (const [name, what, change_] of TAMPERED_OFFERS) test(`refuses an offer with a changed detail: ${name}`, async () => {
  const signed = await cyd.signatures();
  await answering(cyd, offerAnswer, json(change_), async () => {
    await go(cyd, `/review/${change}`);
    await beginApproval(cyd, world.digits(change));
    await refuses(cyd, what);
  });
  assert.equal(await cyd.signatures(), signed);
});

test('refuses an artifact with other bytes', async () => {
  const isArtifact = (url) => url.pathname.startsWith('/api/v1/requests/') && url.pathname.includes('/artifacts/');
  await answering(cyd, isArtifact, async () => ({ body: UP.replace('CREATE', 'DROP') }), async () => {
    await go(cyd, `/review/${change}`);
    await refuses(cyd, 'artifact');
  });
});

test('offers no approval when an artifact or the reason is withheld', async () => {
  await cyd.page.route('**/api/v1/requests/*/artifacts/*', (route) => route.fulfill({ status: 404, json: {} }));
  await go(cyd, `/review/${change}`);
  await cyd.page.getByText('cannot be shown whole').waitFor();
  assert.ok(await cyd.button('Approve …').isDisabled());
  await cyd.page.unroute('**/api/v1/requests/*/artifacts/*');
  await answering(cyd, requestAnswer, json((view) => { view.disclosures = []; }), async () => {
    await go(cyd, `/review/${change}`);
    await cyd.page.getByText('It cannot be approved here').waitFor();
    assert.ok(await cyd.button('Approve …').isDisabled());
  });
});

// The server lies twice, with one voice: only bounds that the page works out for itself can tell.
test('a grant that the request and the verdict do not bear is refused, whatever else the server shows', async () => {
  for (const [what, member, value] of [['grant, not before', 'not_before', '2020-01-01T00:00:00Z'], ['grant, not after', 'not_after', '2099-01-01T00:00:00Z']]) {
    await answering(cyd, requestAnswer, json((view) => { view.clocks[member] = value; }), () =>
      answering(cyd, offerAnswer, json((offer) => reoffered(offer, 'decision', (one) => { one.grant[member] = value; })), async () => {
        await go(cyd, `/review/${change}`);
        await beginApproval(cyd, world.digits(change));
        await refuses(cyd, what);
      }));
  }
  const longer = (view) => { verdictConsistently((verdict) => { verdict.constraints.grant_seconds = 86400; })(view); view.clocks.max_seconds = 86400; };
  let digest;
  await answering(cyd, requestAnswer, json((view) => { longer(view); digest = view.verdict_sha256; }), () =>
    answering(cyd, offerAnswer, json((offer) => reoffered(offer, 'decision', (one) => { one.grant.max_seconds = 86400; one.verdict_sha256 = digest; })), async () => {
      await go(cyd, `/review/${change}`);
      await beginApproval(cyd, world.digits(change));
      await refuses(cyd, 'grant, longest');
    }));
});

const sessionOffer = (url) => url.pathname.endsWith('/sessions/options');

test('a sign-in signs for nobody else, and nothing that is not shown', async () => {
  const eve = await newPerson(browser, world.base, 'Eve');
  await eve.page.addInitScript((id) => localStorage.setItem('chancery-person', id), cyd.id);
  for (const [what, change_] of [['person', (one) => { one.person = dee.id; }], ['session document', (one) => { one.also = 1; }],
    ['time of the offer', (one) => { one.expires_at = '2099-01-01T00:00:00Z'; }]]) {
    await answering(eve, sessionOffer, json((offer) => reoffered(offer, 'session', change_)), async () => {
      await go(eve, '/sign');
      await eve.button('Sign in with a passkey').click();
      await refuses(eve, what);
    });
  }
  await eve.context.close();
});

test('a command line is not signed in with another key than its code is of', async () => {
  const login = await world.login(ben);
  const otherKey = (offer) => reoffered(offer, 'session', (one) => { one.public_key = Buffer.alloc(32, 1).toString('base64url'); });
  const noKey = (offer) => reoffered(offer, 'session', (one) => { delete one.public_key; });
  for (const [what, change_] of [['code', otherKey], ['session key', noKey]]) {
    await answering(ben, sessionOffer, json(change_), async () => {
      await go(ben, login.url.slice(world.base.length));
      await ben.button('Continue').click();
      await refuses(ben, what);
    });
  }
  login.cancel();
});

test('an act on people is refused when it is not what is shown', async () => {
  const optionsAnswer = (url) => url.pathname.endsWith('/identity/options');
  const offers = [['log', (one) => { one.log_origin = 'elsewhere.example'; }], ['identity document', (one) => { one.also = 1; }],
    ['body', (one) => { one.body.also = 'identity_admin'; }], ['identity document', (one) => { one.act = 'policy.activated'; }]];
  const cases = offers.map(([what, change_]) => [what, (offer) => reoffered(offer, 'identity', change_)]);
  cases.push(['document digest', (offer) => ({ ...offer, document_sha256: hex('x') })], ['challenge', (offer) => ({ ...offer,
    public_key: { ...offer.public_key, challenge: 'A'.repeat(43) } })], ['disclosure', (offer) => ({ ...offer, disclosures: ['W10'] })]);
  for (const [what, change_] of cases) {
    await answering(ada, optionsAnswer, json(change_), async () => {
      await go(ada, '/sign#/people');
      await ada.page.getByLabel('Person', { exact: true }).selectOption(cyd.id);
      await ada.page.getByLabel('Role, or attribute').fill('security');
      await ada.button('Prepare …').click();
      await refuses(ada, what);
    });
  }
});

test('a sign-in does not introduce a key that nobody asked for', async () => {
  const eve = await newPerson(browser, world.base, 'Eve');
  await eve.page.addInitScript((id) => localStorage.setItem('chancery-person', id), cyd.id);
  const withKey = (offer) => reoffered(offer, 'session', (one) => { one.public_key = Buffer.alloc(32).toString('base64url'); });
  await answering(eve, sessionOffer, json(withKey), async () => {
    await go(eve, '/sign');
    await eve.button('Sign in with a passkey').click();
    await refuses(eve, 'session key');
  });
  await eve.context.close();
});

test('an approval is signed, and its receipt can be kept', async () => {
  await go(cyd, `/review/${change}`);
  await beginApproval(cyd, world.digits(change));
  await cyd.heading('You are about to approve this request').waitFor();
  await looksRight(cyd, 'confirm');
  const fingerprint = await cyd.page.locator('#fingerprint').textContent();
  await cyd.button('Sign: approve').click();
  await cyd.heading('Recorded').waitFor();
  await looksRight(cyd, 'receipt');
  const [download] = await Promise.all([cyd.page.waitForEvent('download'), cyd.page.getByRole('link', { name: 'Download the receipt' }).click()]);
  const receipt = JSON.parse(await readFile(await download.path(), 'utf8'));
  const signed = JSON.parse(Buffer.from(receipt.assertion.client_data_json, 'base64url')).challenge;
  assert.equal(Buffer.from(signed, 'base64url').toString('hex').slice(0, 20), fingerprint.replaceAll(' ', ''));
  assert.equal(signed, reoffered({ document: receipt.document, public_key: {} }, 'decision', () => {}).public_key.challenge);
  await go(cyd, `/review/${change}`);
  await cyd.page.getByText('You decided already').first().waitFor();
  assert.ok(await cyd.button('Approve …').isDisabled());
});

test('a receipt of something else is said to be wrong', async () => {
  const id = await world.request(ben, CHANGE);
  const recorded = (url) => url.pathname.endsWith('/decisions');
  const wrong = ({ receipt }) => {
    const leaf = JSON.parse(Buffer.from(receipt.leaf, 'base64url'));
    leaf.spec.body.document = leaf.spec.body.document.replace('approve', 'reject');
    receipt.leaf = Buffer.from(JSON.stringify(leaf)).toString('base64url');
    receipt.document = receipt.document.replace('approve', 'reject');
  };
  await answering(cyd, recorded, json(wrong), async () => {
    await go(cyd, `/review/${id}`);
    await beginApproval(cyd, world.digits(id));
    await cyd.button('Sign: approve').click();
    await cyd.heading('Signed, but the receipt is wrong').waitFor();
  });
  const said = await cyd.page.locator('.refusal li').allTextContents();
  for (const what of ['receipt, document', 'leaf, document']) assert.ok(said.some((one) => one.startsWith(what)), what);
});

test('the last approval grants, and an administrator can revoke', async () => {
  await signIn(dee);
  await go(dee, `/review/${change}`);
  await beginApproval(dee, world.digits(change));
  await dee.button('Sign: approve').click();
  await dee.page.getByText('approved, not started').waitFor();
  await go(ada, `/review/${change}`);
  await ada.button('Revoke …').click();
  await ada.page.getByText('Write a reason to revoke').waitFor();
  await ada.page.getByLabel('Reason', { exact: true }).fill('wrong database');
  await ada.button('Revoke …').click();
  await ada.button('Sign: revoke').click();
  await ada.page.getByText('The request is now: revoked').waitFor();
});

test('a binary artifact can be rejected, not approved', async () => {
  const id = await world.request(ben, { ...CHANGE, artifacts: [['up.sql', Buffer.from([0, 159, 146, 150])], ['down.sql', DOWN]] });
  await go(cyd, `/review/${id}`);
  await cyd.page.getByText('Not shown: it is not text').waitFor();
  assert.ok(await cyd.button('Approve …').isDisabled());
  await looksRight(cyd, 'binary');
  await cyd.page.getByLabel('Reason', { exact: true }).fill('nobody can read this');
  await cyd.button('Reject …').click();
  await cyd.button('Sign: reject').click();
  await cyd.page.getByText('The request is now: rejected').waitFor();
});

test('an approval can be withdrawn', async () => {
  const id = await world.request(ben, CHANGE);
  await go(cyd, `/review/${id}`);
  await beginApproval(cyd, world.digits(id));
  await cyd.button('Sign: approve').click();
  await cyd.heading('Recorded').waitFor();
  await go(cyd, `/review/${id}`);
  await cyd.button('Withdraw …').click();
  await cyd.button('Sign: withdraw').click();
  await cyd.heading('Recorded').waitFor();
});

test('served from another origin, it talks to the API that it names', async () => {
  const id = await world.request(ben, CHANGE);
  const other = 'http://localhost:1';
  const page = await cyd.context.newPage();
  const file = new URL('../../crates/server/static/sign.html', import.meta.url);
  const body = (await readFile(file, 'utf8')).replace('name="chancery-api" content=""', `name="chancery-api" content="${world.base}"`);
  const called = [];
  page.on('request', (request) => called.push(new URL(request.url()).origin));
  await page.route(`${other}/**`, (route) => route.fulfill({ body, contentType: 'text/html; charset=utf-8' }));
  await page.route(`${world.base}/**`, async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers(), 'access-control-allow-origin': other, 'access-control-allow-credentials': 'true' };
    await route.fulfill({ response, headers });
  });
  await page.goto(`${other}/anywhere/sign.html#/review/${id}`);
  await page.getByRole('button', { name: 'Approve …' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Inbox' }).getAttribute('href'), '/anywhere/sign.html#/');
  assert.deepEqual([...new Set(called)].sort(), [other, world.base].sort());
  await page.close();
});

async function passkeysOf(reader, person) {
  await go(reader, '/sign#/people');
  const item = reader.page.getByRole('listitem').filter({ hasText: person.id }).filter({ has: reader.page.getByText('Passkeys', { exact: true }) }).last();
  await item.getByText('Passkeys', { exact: true }).click();
  return item;
}

let deeAgain;

test('a person who lost their passkeys gets in again, and everybody is told for a day', async () => {
  const item = await passkeysOf(ada, dee);
  await item.getByRole('button', { name: 'All lost: make a recovery link' }).click();
  const link = await item.locator('.recovery-url').textContent();
  deeAgain = await newPerson(browser, world.base, dee.name);
  await deeAgain.page.goto(link);
  await deeAgain.page.getByText('takes the place of all').waitFor();
  await looksRight(deeAgain, 'recover');
  await deeAgain.button('Make a passkey').click();
  await deeAgain.heading('Now the administrators').waitFor();
  const fingerprint = await deeAgain.page.locator('.fingerprint').textContent();
  await go(ada, '/sign#/people');
  await ada.page.getByRole('link', { name: dee.name }).click();
  for (const administrator of [ada, ben]) {
    if (administrator === ben) {
      await go(ben, '/sign');
      await ben.page.getByRole('link', { name: 'Recover a person' }).click();
    }
    await administrator.heading('Recover a person who lost their passkeys').waitFor();
    await administrator.page.waitForFunction((text) => document.querySelector('.fingerprint').textContent === text, fingerprint);
    if (administrator === ada) await looksRight(ada, 'act-recover');
    await administrator.button('Sign with passkey').click();
    await administrator.heading(administrator === ada ? /another administrator/ : 'Recorded').waitFor();
  }
  await signIn(deeAgain);
  await deeAgain.page.getByText('Somebody is getting in as you').waitFor();
  await looksRight(deeAgain, 'recovery-notice');
  await go(ada, '/sign#/people');
  await ada.page.getByText('Being recovered').waitFor();
});

test('the person with a passkey of before is told on every page, and stops it', async () => {
  await go(dee, '/sign'); // the session of before goes on, and only looks
  await dee.page.getByText('this session only looks').waitFor();
  await dee.page.getByRole('link', { name: 'stop it with a passkey that you had before' }).click();
  await dee.heading('Stop a recovery').waitFor();
  await looksRight(dee, 'act-stop-recovery');
  await dee.button('Sign with passkey').click();
  await dee.heading('Recorded').waitFor();
  await go(dee, '/sign');
  await dee.heading('Inbox').waitFor();
  assert.equal(await dee.page.getByText('Somebody is getting in as you').count(), 0);
  await go(deeAgain, '/sign');
  await deeAgain.heading('Sign in').waitFor();
});

test('wrong digits are refused, and a report rejects and freezes', async () => {
  const id = await world.request(ben, CHANGE);
  await go(cyd, `/review/${id}`);
  await cyd.button('Approve …').click();
  await cyd.page.getByText('Write the two digits').waitFor();
  await beginApproval(cyd, world.digits(id) === '00' ? '01' : '00');
  await cyd.page.getByText('these are not the two digits').waitFor();
  assert.equal(await cyd.button(/^Sign:/).count(), 0);
  await cyd.page.getByLabel('Report it as suspicious').check();
  await cyd.button('Approve …').click();
  await cyd.page.getByText('is rejected, not approved').waitFor();
  await looksRight(cyd, 'report');
  await cyd.page.getByLabel('Reason', { exact: true }).fill('Ben says that it was not him');
  // A server that drops the report, or adds one, is told from what is signed.
  const dropped = json((offer) => reoffered(offer, 'decision', (one) => { delete one.suspicious; }));
  await answering(cyd, offerAnswer, dropped, async () => {
    await cyd.button('Reject …').click();
    await refuses(cyd, 'report');
  });
  await go(cyd, `/review/${id}`);
  await cyd.page.getByLabel('Report it as suspicious').check();
  await cyd.page.getByLabel('Reason', { exact: true }).fill('Ben says that it was not him');
  await cyd.button('Reject …').click();
  await cyd.page.getByText('the requester is frozen').waitFor();
  await cyd.button('Sign: reject').click();
  await cyd.page.getByText('The request is now: rejected').waitFor();
  await assert.rejects(world.request(ben, CHANGE));
});

test('a passkey is taken away, by the address that the command line opens', async () => {
  const item = await passkeysOf(cyd, cyd);
  const address = await item.getByRole('link', { name: 'Remove …' }).last().getAttribute('href');
  await go(cyd, address);
  await cyd.heading('Remove a passkey').waitFor();
  await cyd.button('Sign with passkey').click();
  await cyd.heading('Recorded').waitFor();
});

test('nothing broke the content security policy or called another origin', () => {
  for (const person of [ada, ben, cyd, dee, deeAgain]) assert.deepEqual(person.faults, [], person.name);
});
