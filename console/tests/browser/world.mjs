// A real installation with people in it: two administrators, of whom one asks, two who decide, and one who audits.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../../../tests/page/chancery.mjs';
import { enrol, launch, newPerson } from '../../../tests/page/people.mjs';

export const UP = `BEGIN;
-- orders are found by their customer
CREATE INDEX CONCURRENTLY orders_customer ON shop.orders (customer_id, created_at DESC);
ALTER TABLE shop.orders ADD COLUMN archived_at timestamptz;
UPDATE shop.orders SET archived_at = now() WHERE created_at < '2024-01-01';
DELETE FROM shop.order_drafts;
COMMIT;
`;
export const DOWN = `ALTER TABLE shop.orders DROP COLUMN archived_at;
DROP INDEX shop.orders_customer;
`;
export const CHANGE = {
  entitlement: 'db-change', set: { database: 'payments', environment: 'production' },
  artifacts: [['up.sql', UP], ['down.sql', DOWN]], undo: ['down.sql'],
  reason: 'Order search times out for large customers since this morning; support has 14 tickets open.', ticket: 'OPS-1204',
};
export const LOGIN = {
  entitlement: 'ssh-admin', set: { host: 'db1.example', principal: 'deploy', environment: 'staging', force_command: 'systemctl restart shop-worker' },
  artifacts: [], undo: [], reason: 'The worker hangs after the deploy.', ticket: 'OPS-1211',
};

export const PLAN = {
  entitlement: 'db-change', set: { database: 'ledger', environment: 'staging' },
  artifacts: [['plan.txt', `  # aws_db_instance.ledger must be replaced
-/+ resource "aws_db_instance" "ledger" {
      ~ engine_version = "15.4" -> "16.2" # forces replacement
        name           = "ledger"
    }

  # aws_db_parameter_group.ledger will be created
  + resource "aws_db_parameter_group" "ledger" {
      + family = "postgres16"
    }

  # aws_security_group_rule.open will be destroyed
  - resource "aws_security_group_rule" "open" {
      - cidr_blocks = ["0.0.0.0/0"] -> null
    }

Plan: 2 to add, 0 to change, 2 to destroy.
`], ['firewall.diff', `--- rules.before
+++ rules.after
@@ -3,4 +3,4 @@
 -A INPUT -p tcp --dport 22 -s 10.0.0.0/8 -j ACCEPT
--A INPUT -p tcp --dport 5432 -s 0.0.0.0/0 -j ACCEPT
+-A INPUT -p tcp --dport 5432 -s 10.2.0.0/16 -j ACCEPT
 -A INPUT -j DROP
`], ['undo.sh', '#!/bin/sh\nterraform apply -auto-approve before.tfplan\n']], undo: ['undo.sh'],
  reason: 'PostgreSQL 15 leaves support; staging goes first.', ticket: 'OPS-1219',
};

// On the plain page: its inbox stands at /sign where the console has taken /.
async function visitPlain(person, hash) {
  await person.page.goto('about:blank');
  await person.page.goto(`${person.base}/people${hash}`);
}

async function signInPlain(person) {
  await visitPlain(person, '');
  await person.button('Sign in with a passkey').click();
  await person.heading('People').waitFor();
}

async function invite(administrator, roles, attributes) {
  await visitPlain(administrator, '');
  await administrator.page.getByLabel('Roles', { exact: true }).fill(roles);
  await administrator.page.getByLabel('Attributes', { exact: true }).fill(attributes);
  await administrator.button('Make a one-time link').click();
  return administrator.page.locator('#invitation-url').textContent();
}

async function letJoin(administrators, person) {
  for (const administrator of administrators) {
    await visitPlain(administrator, '');
    const link = administrator.page.getByRole('link', { name: new RegExp(`^(${person.name}|Let a person join)`) }).first();
    await link.click();
    await administrator.page.waitForFunction((text) => document.querySelector('.fingerprint')?.textContent === text, person.fingerprint);
    await administrator.button('Sign with passkey').click();
    await administrator.heading(/another administrator has to sign|Recorded/).waitFor();
  }
}

const OTHERS = [['Cyd Crane', 'dba', 'business_unit=payments'], ['Dee Drake', 'service_owner', 'business_unit=payments'], ['Fay Frost', 'auditor', '']];

// Everybody enrols, and one of them is signed in on a command line.
async function build(installation, browser) {
  const names = ['Ada Ames', 'Ben Booth', ...OTHERS.map(([name]) => name)];
  const people = await Promise.all(names.map((name) => newPerson(browser, installation.base, name)));
  const [ada, ben, ...rest] = people;
  await enrol(ada, installation.firstLink());
  await signInPlain(ada);
  await enrol(ben, await invite(ada, 'identity_admin, engineer', ''));
  await installation.seal();
  await signInPlain(ben);
  for (const [position, person] of rest.entries()) {
    const [, roles, attributes] = OTHERS[position];
    await enrol(person, await invite(ada, roles, attributes));
    await letJoin([ada, ben], person);
  }
  const login = await installation.login(ben);
  await ben.page.goto(login.url);
  await ben.button('Continue').click();
  await ben.button('It is the same: sign with passkey').click();
  await ben.heading('Signed in').waitFor();
  await login.done();
  return people;
}

// What every world of this process begins with: it is made once, kept as a folder and as browsers, and taken out again.
let beginning;
let taken = false;

async function begin() {
  const installation = await start();
  const browser = await launch();
  const people = await build(installation, browser);
  const kept = [];
  for (const person of people) {
    const { name, id, fingerprint } = person;
    kept.push({ name, id, fingerprint, browser: await person.keep() });
    await person.context.close();
  }
  const copy = await mkdtemp(join(tmpdir(), 'chancery-world-'));
  await installation.between((folder) => cp(folder, copy, { recursive: true, preserveTimestamps: true }));
  return { installation, browser, kept, copy };
}

// Ends the browser and the server of all worlds.
export async function endAll() {
  if (beginning === undefined) return;
  const { installation, browser, copy } = await beginning;
  await browser.close();
  await installation.stop();
  await rm(copy, { recursive: true });
}

async function takeOut({ installation, copy }) {
  await installation.between(async (folder) => {
    await rm(folder, { recursive: true });
    await cp(copy, folder, { recursive: true, preserveTimestamps: true });
  });
}

// One at a time: the origin is part of what passkeys sign, so every world has the same port.
export async function makeWorld() {
  beginning ??= begin();
  const { installation, browser, kept, copy } = await beginning;
  if (taken) await takeOut({ installation, copy });
  taken = true;
  const people = await Promise.all(kept.map(async ({ name, id, fingerprint, browser: own }) =>
    Object.assign(await newPerson(browser, installation.base, name, own), { id, fingerprint })));
  const [ada, ben, ...rest] = people;
  const leave = () => Promise.all(people.map(({ context }) => context.close()));
  return { ...installation, browser, people, ada, ben, rest, leave };
}

export async function signIn(person) {
  await person.page.goto(`${person.base}/`);
  const button = person.button('Sign in with a passkey');
  const frame = person.page.locator('#main');
  await button.or(frame).first().waitFor();
  if (await button.isVisible()) await button.click();
  await frame.waitFor();
}
