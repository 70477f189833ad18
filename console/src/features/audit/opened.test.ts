import { expect, test } from 'vitest';
import { opened } from './opened';

test('documents are opened where they stand, and nothing else is', () => {
  expect(opened({ document: '{"a":1}', other: '{"a":1}', authority: [{ document: '{"b":2}' }] })).toEqual({
    document: { a: 1 },
    other: '{"a":1}',
    authority: [{ document: { b: 2 } }],
  });
});

test('what is no document stays as it is', () => {
  for (const document of ['no json', '7', '{"a":1,"a":2}']) expect(opened({ document })).toEqual({ document });
});
