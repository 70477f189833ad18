// The inbox and the decision screen in a real browser, against the real server.
import assert from 'node:assert/strict';
import { changed, hex, canonical, reoffered } from '../../../tests/page/documents.mjs';
import { looksRight } from './looks.mjs';
import { story } from './story.mjs';
import { CHANGE, DOWN, signIn, UP } from './world.mjs';

let world, ben, cyd, dee, change;

const test = story('inbox and decision', async (made) => {
  world = made;
  [ben, cyd, dee] = [world.ben, ...world.rest];
});

const open = (person, id) => person.page.goto(`${world.base}/inbox/${id}`);
const sentence = (person) => person.page.getByRole('heading', { level: 1, name: /asks for/ });
const bar = (person) => person.page.getByRole('region', { name: 'Your decision' });
const act = (person, name) => bar(person).getByRole('button', { name });
const rows = (person) => person.page.getByRole('list', { name: 'Requests' }).getByRole('link');

async function opened(person, id) {
  await open(person, id);
  await sentence(person).waitFor();
}

test('whoever is not signed in signs in at the same address', async () => {
  await cyd.page.goto(`${world.base}/?view=waiting_others`);
  await cyd.button('Sign in with a passkey').waitFor();
  await looksRight(cyd, 'sign-in');
  await signIn(cyd);
  await cyd.page.getByText('Nothing waits for you').waitFor();
  await looksRight(cyd, 'inbox, empty');
});

test('a request of somebody else comes by itself, behind a pill', async () => {
  change = await world.request(ben, CHANGE);
  const pill = cyd.button(/Show 1 new request/);
  await pill.waitFor();
  assert.equal(await rows(cyd).count(), 0, 'no row appears under a finger');
  await pill.click();
  await rows(cyd).first().waitFor();
  assert.equal(await rows(cyd).count(), 1);
  await looksRight(cyd, 'inbox');
});

test('the decision shows all that is signed, read from the signed bytes', async () => {
  await rows(cyd).first().click();
  await sentence(cyd).waitFor();
  const text = await cyd.page.locator('main').innerText();
  for (const part of ['Ben Booth', 'Change a database', 'payments', 'production', '10 minutes', 'CREATE INDEX', 'shop.orders',
    'changes every row', 'undoes the change', 'Order search times out', 'OPS-1204', 'dba', 'service_owner']) assert.ok(text.includes(part), part);
  const source = await cyd.page.getByRole('region', { name: 'Contents of up.sql' }).innerText();
  assert.equal(source.trimEnd(), UP.trimEnd());
  assert.equal((await cyd.page.getByRole('region', { name: 'Contents of down.sql' }).innerText()).trimEnd(), DOWN.trimEnd());
  await looksRight(cyd, 'decision');
});

test('the factors sum to the score', async () => {
  const points = await cyd.page.locator('section[data-tier] li > span:first-child').allTextContents();
  const sum = points.reduce((total, one) => total + Number(one.replace('−', '-')), 0);
  const score = Number(await cyd.page.locator('section[data-tier] p strong').first().textContent());
  assert.ok(points.length > 0);
  assert.equal(Math.min(100, sum), score);
});

test('one screen of a phone shows who, what, the head of the artifact, score and factors', async () => {
  await cyd.page.setViewportSize({ width: 390, height: 844 });
  await opened(cyd, change);
  const limit = (await bar(cyd).boundingBox()).y;
  const factors = cyd.page.locator('section[data-tier] li');
  // Outside of working hours there is a fifth factor.
  assert.ok(await factors.count() >= 4);
  const first = [sentence(cyd), cyd.page.locator('section[data-tier] p strong').first(), factors.last(),
    cyd.page.getByRole('region', { name: 'Contents of up.sql' }).locator('code > span').nth(3)];
  for (const part of first) {
    const box = await part.boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= limit, `${await part.innerText()} is at ${box.y}`);
  }
  await cyd.page.setViewportSize({ width: 1440, height: 900 });
});

test('nobody is offered a decision on their own request', async () => {
  await signIn(ben);
  await opened(ben, change);
  await ben.page.getByText('This is your own request').waitFor();
  await ben.page.getByText(`Tell approvers the digits ${world.digits(change)}`).waitFor();
  assert.equal(await ben.button(/approve|reject/i).count(), 0);
  await looksRight(ben, 'own');
});

test('no key approves, and `d` begins a rejection unless single keys are off', async () => {
  await opened(cyd, change);
  const signed = await cyd.signatures();
  for (const key of ['a', 'y', 'A', 'Enter', 'Space', 'Control+Enter', 'Alt+a']) await cyd.page.keyboard.press(key);
  await cyd.page.keyboard.press('d');
  await bar(cyd).getByLabel('Reason').waitFor();
  await cyd.page.keyboard.press('Escape');
  await act(cyd, 'Reject …').waitFor();
  await cyd.page.evaluate(() => localStorage.setItem('chancery-preferences', '{"singleKeys":false}'));
  await opened(cyd, change);
  await cyd.page.keyboard.press('d');
  assert.equal(await bar(cyd).getByLabel('Reason').count(), 0);
  await cyd.page.evaluate(() => localStorage.removeItem('chancery-preferences'));
  assert.equal(await cyd.signatures(), signed);
});

// ---- What the page must refuse. ----

const inDocument = (change_) => (view) => { view.document = changed(view.document, change_); };
const consistently = (change_) => (view) => {
  view.document = changed(view.document, change_);
  view.request_sha256 = hex(view.document);
};
const inVerdict = (change_) => (view) => { change_(view.verdict); };
const verdictConsistently = (change_) => (view) => {
  change_(view.verdict);
  view.verdict_sha256 = hex(canonical(view.verdict));
};

const TAMPERED_ANSWERS = [
  ['a parameter', 'request digest', inDocument((one) => { one.parameters.database = 'archive'; })],
  ['a member that is not shown', 'request document', consistently((one) => { one.also = 'drop everything'; })],
  ['white space', 'request document', (view) => { view.document = view.document.replace(',', ', '); view.request_sha256 = hex(view.document); }],
  ['a member twice', 'request document', (view) => { view.document = view.document.replace('"id":', '"id":"01J00000000000000000000000","id":'); view.request_sha256 = hex(view.document); }],
  ['another log', 'log', consistently((one) => { one.log_origin = 'elsewhere.example'; })],
  ['another type', 'request document', consistently((one) => { one.type = 'urn:chancery:decision:v1'; })],
  ['a member less', 'request document', consistently((one) => { delete one.undo; })],
  ['a parameter list', 'request document', consistently((one) => { one.parameters = ['payments']; })],
  ...['entitlement', 'beneficiary', 'clocks'].map((member) => [`a hidden member of its ${member}`, member, consistently((one) => { one[member].also = 1; })]),
  ['a hidden member of an artifact', 'artifact', consistently((one) => { one.artifacts[0].also = 1; })],
  ['the size of an artifact', 'artifact up.sql, size', consistently((one) => { one.artifacts[0].size += 1; })],
  ['the revision', 'revision', (view) => { view.revision += 1; }],
  ['whom it is for', 'beneficiary', (view) => { view.beneficiary = { person: dee.id, name: dee.name }; }],
  ['the requester', 'requester', (view) => { view.requester = { person: dee.id, name: dee.name }; }],
  ['what is asked for', 'entitlement', (view) => { view.entitlement = 'ssh-admin'; }],
  ['a reason given twice', 'disclosure', (view) => { view.disclosures.push(view.disclosures[0]); }],
  ['the reason', 'disclosure', (view) => {
    const [salt, name] = JSON.parse(Buffer.from(view.disclosures[0], 'base64url'));
    view.disclosures[0] = Buffer.from(JSON.stringify([salt, name, 'nothing to see'])).toString('base64url');
  }],
  ['a hidden member of the verdict', 'verdict', verdictConsistently((verdict) => { verdict.also = 1; })],
  ['a hidden member of the risk', 'risk', verdictConsistently((verdict) => { verdict.risk.also = 1; })],
  ['a number that is no integer', 'verdict', inVerdict((verdict) => { verdict.risk.score = 0.5; })],
  ['a risk detail', 'verdict digest', inVerdict((verdict) => { verdict.risk.factors[0].detail = 'harmless'; })],
  ['the score', 'sum of the risk factors', verdictConsistently((verdict) => { verdict.risk.score = 1; })],
  ['a quorum', 'stages', verdictConsistently((verdict) => { verdict.stages[0].quorum = 7; })],
];

const LIES_THAT_SHOW_LATER = [
  ['a parameter, digest and all', 'request', consistently((one) => { one.parameters.database = 'archive'; })],
  ['the verdict, digest and all', 'verdict digest', verdictConsistently((verdict) => { verdict.engine = 'another engine'; })],
  ['who may approve', 'stage', (view) => { for (const stage of view.stages) stage.eligible = []; }],
  ['when it may start', 'grant, not before', (view) => { view.clocks.not_before = '2020-01-01T00:00:00Z'; }],
  ['when it ends', 'grant, not after', (view) => { view.clocks.not_after = '2020-01-01T00:00:00Z'; }],
  ['the clock that is shown', 'grant, longest', (view) => { view.clocks.max_seconds = 60; }],
];

const offered = (change_) => (offer) => reoffered(offer, 'decision', change_);
const TAMPERED_OFFERS = [
  ['the grant, without its challenge', 'challenge', (offer) => ({ ...offer, document: changed(offer.document, (one) => { one.grant.max_seconds = 86400; }) })],
  ['the grant', 'grant, longest', offered((one) => { one.grant.max_seconds = 86400; })],
  ['the end of the grant', 'grant, not after', offered((one) => { one.grant.not_after = '2099-01-01T00:00:00Z'; })],
  ['an earlier start', 'grant, not before', offered((one) => { one.grant.not_before = '2020-01-01T00:00:00Z'; })],
  ['another request', 'request', offered((one) => { one.request.sha256 = hex('another'); })],
  ['another revision', 'request', offered((one) => { one.request.revision += 1; })],
  ['another verdict', 'verdict digest', offered((one) => { one.verdict_sha256 = hex('another'); })],
  ['another policy', 'policy digest', offered((one) => { one.policy_sha256 = hex('another'); })],
  ['another decision', 'decision', offered((one) => { one.decision = 'override'; })],
  ['a report', 'report', offered((one) => { one.suspicious = true; })],
  ['another person', 'approver', offered((one) => { one.approver = ben.id; })],
  ['another stage', 'stage', offered((one) => { one.stages = [{ id: 'service_owner', quorum: 1 }]; })],
  ['no stage', 'stages', offered((one) => { one.stages = []; })],
  ['a larger stage', 'stage', offered((one) => { one.stages[0].quorum = 7; })],
  ['a hidden member of a stage', 'stage', offered((one) => { one.stages[0].also = 1; })],
  ['a hidden member of the grant', 'grant', offered((one) => { one.grant.also = 1; })],
  ['a hidden member of the checkpoint', 'checkpoint', offered((one) => { one.checkpoint.also = 1; })],
  ['a member that is not shown', 'decision document', offered((one) => { one.also = ['dba']; })],
  ['another log', 'log', offered((one) => { one.log_origin = 'elsewhere.example'; })],
  ['no nonce', 'decision document', offered((one) => { delete one.nonce; })],
  ['a short nonce', 'nonce', offered((one) => { one.nonce = 'AAAA'; })],
  ['another relying party', 'relying party', (offer) => ({ ...offer, public_key: { ...offer.public_key, rpId: 'example.org' } })],
  ['an offer of tomorrow', 'time of the offer', offered((one) => { one.issued_at = '2099-01-01T00:00:00Z'; one.expires_at = '2099-01-01T00:05:00Z'; })],
  ['an offer that ended', 'time of the offer', offered((one) => { one.issued_at = '2020-01-01T00:00:00Z'; one.expires_at = '2020-01-01T00:05:00Z'; })],
  ['an endless offer', 'time of the offer', offered((one) => { one.expires_at = '2099-01-01T00:00:00Z'; })],
  ['no passkey', 'passkey', (offer) => ({ ...offer, public_key: { ...offer.public_key, allowCredentials: [] } })],
  ['another passkey', 'passkey', offered((one) => { one.credential_id_sha256 = hex('another'); })],
  ['a reason that nobody gave', 'reason', (offer) => {
    const disclosure = Buffer.from(JSON.stringify(['AAAAAAAAAAAAAAAAAAAAAA', 'reason', 'I was told to'])).toString('base64url');
    return { ...reoffered(offer, 'decision', (one) => { one.reason_sha256 = hex(disclosure); }), disclosure };
  }],
  ['a reason without its words', 'reason', offered((one) => { one.reason_sha256 = hex('x'); })],
  ['a fingerprint', 'fingerprint', (offer) => ({ ...offer, fingerprint: '0000 0000 0000 0000 0000' })],
];

async function answering(person, pattern, change_, work) {
  await person.page.route(pattern, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, ...(await change_(response)) });
  });
  try { await work(); } finally { await person.page.unroute(pattern); }
}
const json = (change_) => async (response) => {
  const body = await response.json();
  return { json: change_(body) ?? body };
};
const requestAnswer = (url) => /\/api\/v1\/requests\/[0-9A-Z]{26}$/.test(url.pathname);
const offerAnswer = (url) => url.pathname.endsWith('/decisions/options');
const artifactAnswer = (url) => url.pathname.includes('/artifacts/');

async function refuses(person, what) {
  const alert = person.page.getByRole('alert').filter({ hasText: 'Do not sign this' });
  await alert.waitFor();
  const said = await alert.locator('li strong').allTextContents();
  assert.ok(said.some((one) => one.startsWith(what)), `says ${said.join(', ')} instead of ${what}`);
}

for (const [name, what, change_] of TAMPERED_ANSWERS) test(`refuses an answer with a changed detail: ${name}`, async () => {
  const signed = await cyd.signatures();
  await answering(cyd, requestAnswer, json(change_), async () => {
    await open(cyd, change);
    await refuses(cyd, what);
    assert.equal(await cyd.button(/approve|reject|with passkey/i).count(), 0, 'nothing to sign is offered');
    if (name === 'a parameter') await looksRight(cyd, 'refused');
  });
  assert.equal(await cyd.signatures(), signed);
});

test('refuses an artifact with other bytes', async () => {
  await answering(cyd, artifactAnswer, async () => ({ body: UP.replace('CREATE', 'DROP') }), async () => {
    await open(cyd, change);
    await refuses(cyd, 'artifact up.sql');
    assert.equal(await cyd.button(/approve/i).count(), 0);
  });
});

test('offers no approval where an artifact did not come', async () => {
  await cyd.page.route(artifactAnswer, (route) => route.abort());
  await opened(cyd, change);
  await cyd.page.getByText('It could not be fetched').first().waitFor();
  assert.equal(await act(cyd, 'Approve …').getAttribute('aria-disabled'), 'true');
  await bar(cyd).getByText('Not everything can be shown here').waitFor();
  await cyd.page.unroute(artifactAnswer);
});

// On a high risk the approval is composed first; then it is signed.
async function sign(person, id = change) {
  await act(person, 'Approve …').click();
  const digits = bar(person).getByLabel('Digits that the requester has');
  await digits.fill(world.digits(id));
  await act(person, 'Approve with passkey').click();
}

for (const [name, what, change_] of LIES_THAT_SHOW_LATER) test(`refuses a consistent lie once the decision names the truth: ${name}`, async () => {
  const signed = await cyd.signatures();
  await answering(cyd, requestAnswer, json(change_), async () => {
    await opened(cyd, change);
    await sign(cyd);
    await refuses(cyd, what);
  });
  assert.equal(await cyd.signatures(), signed);
});

test('an approval is begun by asking for the digits', async () => {
  await opened(cyd, change);
  await act(cyd, 'Approve …').click();
  await act(cyd, 'Back').waitFor();
});

for (const [name, what, change_] of TAMPERED_OFFERS) test(`refuses an offer with a changed detail: ${name}`, async () => {
  const signed = await cyd.signatures();
  await answering(cyd, offerAnswer, json(change_), async () => {
    await act(cyd, 'Back').click();
    await sign(cyd);
    await refuses(cyd, what);
  });
  assert.equal(await cyd.signatures(), signed);
});

test('a passkey that was cancelled signs nothing, and one may start again', async () => {
  await opened(cyd, change);
  await cyd.page.evaluate(() => {
    navigator.credentials.get = () => Promise.reject(new DOMException('cancelled', 'NotAllowedError'));
  });
  await sign(cyd);
  await bar(cyd).getByText('No passkey answered, or it was cancelled').waitFor();
  await looksRight(cyd, 'cancelled');
});

test('a signature whose answer was lost is sent again and counts once', async () => {
  await opened(cyd, change);
  let lost = 0;
  const submit = (url) => /\/decisions$/.test(url.pathname);
  await cyd.page.route(submit, async (route) => {
    lost += 1;
    await (lost === 1 ? route.abort() : route.continue());
  });
  const before_ = await cyd.signatures();
  await sign(cyd);
  await bar(cyd).getByText('Signed, but no answer came').waitFor();
  await looksRight(cyd, 'unsure');
  await act(cyd, 'Send it again').click();
  await bar(cyd).getByText('Recorded').waitFor();
  await cyd.page.unroute(submit);
  assert.equal(await cyd.signatures(), before_ + 1, 'signed once');
  await looksRight(cyd, 'recorded');
});

test('the receipt can be kept', async () => {
  const download = cyd.page.waitForEvent('download');
  await cyd.page.getByRole('link', { name: 'Download the receipt' }).click();
  assert.match((await download).suggestedFilename(), /^chancery-receipt-.*\.json$/);
});

test('who decided is not asked again', async () => {
  await opened(cyd, change);
  await cyd.page.getByText('You decided on this already').waitFor();
  assert.equal(await act(cyd, 'Approve …').getAttribute('aria-disabled'), 'true');
  await looksRight(cyd, 'decided');
});

test('the second approver sees the first approval come, and approves', async () => {
  await signIn(dee);
  await opened(dee, change);
  await dee.page.getByText('1 of 2 approvals').waitFor();
  await sign(dee);
  await bar(dee).getByText('Recorded').waitFor();
  await cyd.page.getByText('Approved, not started').first().waitFor();
});

test('what was decided stays where it stood, and says so', async () => {
  await cyd.page.goto(`${world.base}/`);
  await cyd.page.getByText('Nothing waits for you').waitFor();
  const second = await world.request(ben, { ...CHANGE, ticket: 'OPS-2' });
  await cyd.button(/Show 1 new request/).click();
  await rows(cyd).first().waitFor();
  await opened(dee, second);
  await act(dee, 'Reject …').click();
  assert.equal(await act(dee, 'Reject with passkey').getAttribute('aria-disabled'), 'true');
  await bar(dee).getByText('Write a reason first').waitFor();
  await bar(dee).getByLabel('Reason').fill('not during the sale');
  await looksRight(dee, 'rejecting');
  await act(dee, 'Reject with passkey').click();
  await bar(dee).getByText('Recorded').waitFor();
  await rows(cyd).first().getByText('no longer in this list').waitFor();
  await opened(cyd, second);
  await cyd.page.getByText('Already decided').waitFor();
  assert.equal(await cyd.button(/approve/i).count(), 0);
  await looksRight(cyd, 'rejected');
});

test('what changes while one looks is said, and cannot be signed before it was shown', async () => {
  const third = await world.request(ben, { ...CHANGE, ticket: 'OPS-3' });
  await opened(cyd, third);
  await answering(cyd, requestAnswer, json(consistently((one) => { one.ticket = 'OPS-4'; })), async () => {
    await opened(dee, third);
    await sign(dee, third);
    await bar(dee).getByText('Recorded').waitFor();
    await cyd.page.getByText('This changed while you looked').waitFor();
    assert.equal(await act(cyd, 'Approve …').getAttribute('aria-disabled'), 'true');
    assert.match(await cyd.page.locator('main').innerText(), /OPS-3/);
    await looksRight(cyd, 'changed');
    await cyd.button('Show the new state').click();
    await cyd.page.getByText('OPS-4', { exact: true }).waitFor();
    assert.equal(await act(cyd, 'Approve …').getAttribute('aria-disabled'), null);
  });
});

test('too late, and another policy: both are said', async () => {
  const late = await world.request(ben, { ...CHANGE, ticket: 'OPS-5' });
  await answering(cyd, requestAnswer, json((view) => { view.clocks.lapses_at = '2026-01-01T00:00:00Z'; }), async () => {
    await opened(cyd, late);
    await cyd.page.getByText('Too late to decide').waitFor();
    assert.equal(await act(cyd, 'Approve …').getAttribute('aria-disabled'), 'true');
    await looksRight(cyd, 'expired');
  });
  await answering(cyd, (url) => url.pathname === '/api/v1/server', json((server) => { server.policy_sha256 = hex('another'); }), async () => {
    await opened(cyd, late);
    await cyd.page.getByText('Another policy is active now').waitFor();
    await looksRight(cyd, 'policy changed');
  });
});

test('wrong digits sign nothing, and three of them reject the request', async () => {
  const signed = await cyd.signatures();
  const id = await world.request(ben, { ...CHANGE, ticket: 'OPS-6' });
  const right = world.digits(id);
  const wrong = right === '11' ? '22' : '11';
  const digits = bar(cyd).getByLabel('Digits that the requester has');
  await opened(cyd, id);
  await act(cyd, 'Approve …').click();
  await bar(cyd).getByText('3 more wrong ones reject').waitFor();
  assert.equal(await act(cyd, 'Approve with passkey').getAttribute('aria-disabled'), 'true');
  await bar(cyd).getByText('Give the two digits first').waitFor();
  await digits.fill(` ${right[0]} x${right[1]}7`);
  assert.equal(await digits.inputValue(), right, 'only digits count, and two of them');
  await looksRight(cyd, 'digits');
  for (const left of ['2 more wrong ones reject', '1 more wrong one rejects']) {
    await digits.fill(wrong);
    await act(cyd, 'Approve with passkey').click();
    await bar(cyd).getByText(left).first().waitFor();
  }
  await looksRight(cyd, 'digits, wrong');
  await digits.fill(wrong);
  await act(cyd, 'Approve with passkey').click();
  await cyd.page.getByText('Already decided').waitFor();
  await cyd.page.getByText('Rejected', { exact: true }).first().waitFor();
  assert.equal(await cyd.button(/approve/i).count(), 0);
  await looksRight(cyd, 'digits, rejected');
  assert.equal(await cyd.signatures(), signed);
});

test('a report rejects, and freezes the requester', async () => {
  const id = await world.request(ben, { ...CHANGE, ticket: 'OPS-7' });
  const signed = await dee.signatures();
  await opened(dee, id);
  await act(dee, 'Report suspicious …').click();
  assert.equal(await act(dee, 'Report with passkey').getAttribute('aria-disabled'), 'true');
  await bar(dee).getByLabel('Reason').fill('Ben is on holiday.');
  await looksRight(dee, 'reporting');
  await act(dee, 'Report with passkey').click();
  await bar(dee).getByText('Recorded').waitFor();
  await dee.page.getByText('reported as suspicious').first().waitFor();
  assert.equal(await dee.signatures(), signed + 1);
  await looksRight(dee, 'reported');
  await assert.rejects(world.request(ben, { ...CHANGE, ticket: 'OPS-8' }), /frozen|suspicious/);
});

test('a request that is not there says so and offers to try again', async () => {
  await open(cyd, '01J00000000000000000000000');
  await cyd.button('Try again').waitFor();
  await looksRight(cyd, 'not there');
});
