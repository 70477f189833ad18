import { expect, test } from 'vitest';
import { MessageReader, noticeOf, Place, type Notice } from './stream';

const SOURCE =
  'retry: 2000\n\n: beat\n\nevent: event\nid: 7\ndata: {"id":"7","type":"chancery.request.judged","subject":"request/01A","data":{"version":2,"state":"pending"}}\n\n' +
  'event: gap\ndata: {"from":8,"to":12}\n\nevent: end\r\ndata: {"reason":"behind"}\r\n\r\n';

function noticesOf(pieces: string[]): Notice[] {
  const reader = new MessageReader();
  return pieces.flatMap((piece) => reader.read(piece)).map(noticeOf);
}

const WHOLE: Notice[] = [
  { kind: 'event', event: { index: 7, kind: 'chancery.request.judged', stream: 'request/01A', state: 'pending' } },
  { kind: 'gap', from: 8, to: 12 },
  { kind: 'end', reason: 'behind' },
];

test('a stream is read alike however it is cut', () => {
  expect(noticesOf([SOURCE])).toEqual(WHOLE);
  for (let cut = 0; cut <= SOURCE.length; cut += 1) expect(noticesOf([SOURCE.slice(0, cut), SOURCE.slice(cut)])).toEqual(WHOLE);
  expect(noticesOf([...SOURCE])).toEqual(WHOLE);
});

test('data over several lines is one text, and a message without data is none', () => {
  const reader = new MessageReader();
  expect(reader.read('data: a\ndata:b\n\nevent: nothing\n\n')).toEqual([{ event: 'message', id: '', data: 'a\nb' }]);
});

test('what was seen before is not taken again, and a gap moves on', () => {
  const place = new Place();
  const event = (index: number): Notice => ({ kind: 'event', event: { index, kind: '', stream: '', state: undefined } });
  expect([event(3), event(3), event(2), event(4)].map((notice) => place.accepts(notice))).toEqual([true, false, false, true]);
  expect(place.accepts({ kind: 'gap', from: 5, to: 9 })).toBe(true);
  expect(place.last).toBe(8);
  expect([event(8), event(9)].map((notice) => place.accepts(notice))).toEqual([false, true]);
});

test.each([
  ['no object', { event: 'event', id: '1', data: '[]' }],
  ['an unknown event', { event: 'other', id: '1', data: '{}' }],
  ['an index that is none', { event: 'event', id: '1', data: '{"id":""}' }],
])('refused: %s', (_, message) => {
  expect(() => noticeOf(message)).toThrow();
});
