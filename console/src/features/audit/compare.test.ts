import { expect, test } from 'vitest';
import { canonicalize } from '../../verify/canonical';
import { utf8 } from '../../verify/digest';
import { compareLeaf } from './compare';

const spec = { stream: 'request/01', version: 2, previous: '00', kind: 'request.approved', time: '2026-03-01T10:00:00Z', body: { revision: 1 } };
const bytes = utf8(canonicalize({ apiVersion: 'chancery/v1', kind: 'event', spec }));
const entry = { leaf_index: 4, stream: spec.stream, version: 2, kind: spec.kind, time: spec.time, body: spec.body as unknown as Record<string, never> };

test('the same event is the same', async () => {
  expect(await compareLeaf(entry, bytes)).toEqual([]);
});

test.each([
  ['kind', { kind: 'request.rejected' }],
  ['stream', { stream: 'request/02' }],
  ['version', { version: 3 }],
  ['time', { time: '2026-03-01T10:00:01Z' }],
  ['body', { body: { revision: 2 } as unknown as Record<string, never> }],
])('another %s is found', async (what, change) => {
  expect((await compareLeaf({ ...entry, ...change }, bytes)).map((finding) => finding.what)).toEqual([what]);
});

test('what is no event is found', async () => {
  expect(await compareLeaf(entry, utf8('{"kind":"hashedrekord"}'))).toHaveLength(1);
  expect(await compareLeaf(entry, utf8('not json'))).toHaveLength(1);
});
