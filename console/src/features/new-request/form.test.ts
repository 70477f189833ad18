import { expect, test } from 'vitest';
import { newRequest as texts } from '../../strings/new-request';
import type { JsonObject } from '../../verify/canonical';
import { faultsOf } from './faults';
import { fieldsOf, parametersOf, valuesOf } from './form';

const FORM: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['host', 'environment'],
  properties: {
    comment: { type: 'string', maxLength: 512 },
    host: { type: 'string', title: 'Host', description: 'The name.', maxLength: 10, pattern: '^[a-z][a-z0-9.-]*$' },
    environment: { enum: ['staging', 'production'] },
    replicas: { type: 'integer', minimum: 1, maximum: 5 },
    drain: { type: 'boolean' },
    labels: { type: 'array', items: { type: 'string' } },
    level: { enum: [1, 2] },
  },
};
const FIELDS = fieldsOf(FORM);

test('what is required comes first, and each property is one field', () => {
  expect(FIELDS.map(({ name, kind, required }) => `${name} ${kind} ${required ? 'required' : ''}`.trim())).toEqual([
    'host text required',
    'environment choice required',
    'comment text',
    'replicas number',
    'drain flag',
    'labels json',
    'level choice',
  ]);
  expect(FIELDS[0]).toMatchObject({ label: 'Host', description: 'The name.', longest: 10, long: false });
  expect(FIELDS[2]).toMatchObject({ label: 'comment', long: true });
});

test('parameters have the types of the schema, and what is empty is left out', () => {
  const values = { host: 'web-1', environment: 'staging', comment: '', replicas: '3', drain: 'false', labels: '["a"]', level: '2', other: 'x' };
  const parameters = parametersOf(FIELDS, values);
  expect(parameters).toEqual({ host: 'web-1', environment: 'staging', replicas: 3, drain: false, labels: ['a'], level: 2 });
  expect(faultsOf(FORM, FIELDS, parameters)).toEqual({ fields: new Map(), others: [] });
  expect(parametersOf(FIELDS, valuesOf(parameters))).toEqual(parameters);
});

test.each([
  ['host', '', texts.fault.required],
  ['host', 'Web', texts.fault.pattern('^[a-z][a-z0-9.-]*$')],
  ['host', 'web-1.example', texts.fault.maxLength(10)],
  ['environment', 'test', texts.fault.choice],
  ['replicas', '1.5', texts.fault.type.number],
  ['replicas', '9', texts.fault.maximum(5)],
  ['replicas', '0', texts.fault.minimum(1)],
  ['replicas', '99999999999999999999', texts.fault.type.number],
  ['drain', 'perhaps', texts.fault.type.flag],
  ['labels', '[1', texts.fault.type.json],
  ['labels', '[1]', 'Instance type "number" is invalid. Expected "string".'],
])('%s = %s: %s', (name, value, message) => {
  const parameters = parametersOf(FIELDS, { host: 'web-1', environment: 'staging', [name]: value });
  const { fields, others } = faultsOf(FORM, FIELDS, parameters);
  expect([...fields]).toEqual([[name, message]]);
  expect(others).toEqual([]);
});

test('what a schema says of several fields together is said of the whole form', () => {
  const form = { ...FORM, dependentRequired: { drain: ['replicas'] } };
  const { others } = faultsOf(form, FIELDS, { host: 'web-1', environment: 'staging', drain: true });
  expect(others).toHaveLength(1);
});

test('a form without properties has no fields', () => {
  expect(fieldsOf({})).toEqual([]);
  expect(fieldsOf({ required: ['nothing'], properties: {} })).toEqual([]);
});
