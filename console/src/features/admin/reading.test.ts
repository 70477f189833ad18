import { expect, test } from 'vitest';
import type { Json } from '../../verify/canonical';
import { formFields } from './form-fields';
import { readInvitation } from './invitation';
import { peopleMatching, rolesHeld } from './people-search';
import { selectorWords } from './selector';

test.each<[Json | undefined, string]>([
  [undefined, 'everybody'],
  [{ role: 'dba' }, 'role dba'],
  [{ any: [{ role: 'dba' }, { all: [{ role: 'sec' }, { not: { role: 'intern' } }] }] }, 'role dba or (role sec and not role intern)'],
  [{ attribute: { team: 'data' } }, 'team = data'],
  [{ manager_of: 'requester' }, 'the requester’s manager'],
  [{ moon: 'full' }, '{"moon":"full"}'],
  [{ role: 'a', person: 'b' }, '{"person":"b","role":"a"}'],
])('%j means: %s', (selector, words) => {
  expect(selectorWords(selector)).toBe(words);
});

test('an invitation is read as it was typed', () => {
  expect(readInvitation('dba, engineer  dba', 'team = data\n\n unit=a=b ')).toEqual({
    roles: ['dba', 'engineer'],
    attributes: { team: 'data', unit: 'a=b' },
    wrong: undefined,
  });
  expect(readInvitation('', 'team data').wrong).toBe('team data');
  expect(readInvitation('', 'team =').wrong).toBe('team =');
});

test('fields of a form, with what each takes', () => {
  const form = {
    properties: { host: { type: 'string', title: 'Host', maxLength: 253 }, env: { type: 'string', enum: ['staging', 'production'] }, odd: true },
    required: ['host'],
  };
  expect(formFields(form)).toEqual([
    { name: 'host', title: 'Host', rule: 'string, at most 253 characters', required: true },
    { name: 'env', title: 'env', rule: 'one of staging, production', required: false },
    { name: 'odd', title: 'odd', rule: 'true', required: false },
  ]);
  expect(formFields({})).toEqual([]);
});

const person = (id: string, name: string | undefined, roles: string[]) => ({ person: id, name: name ?? null, roles, attributes: { team: 'data' }, passkeys: [], suspended: false });

test('people are found by every word that their row says', () => {
  const all = [person('01C', undefined, []), person('01B', 'Ben', ['dba']), person('01A', 'Ada', ['dba', 'auditor'])];
  const ids = (typed: string) => peopleMatching(all, typed).map((found) => found.person);
  expect(ids('')).toEqual(['01A', '01B', '01C']);
  expect(ids('dba ada')).toEqual(['01A']);
  expect(ids('team=data 01c')).toEqual(['01C']);
  expect(rolesHeld(all)).toEqual(['auditor', 'dba']);
});
