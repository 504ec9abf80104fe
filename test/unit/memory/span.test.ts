import { AtomicLog } from 'atomic-log';

import { expectError } from '../../support/errors';
import { detach, tryTransfer } from '../../support/memory';

const options = { retainedCapacity: 8, segmentCapacity: 4 };
const code = (expected: string): Error => expect.objectContaining({ code: expected });

test('entries are written in place and published by commit', () => {
  const { writer, log } = AtomicLog.claimed(options);
  writer.write(1);
  const span = writer.reserve(2);
  expect([span.firstIndex, span.length, span.values.length]).toEqual([1, 2, 2]);
  span.values.set([2, 3]);
  expect(log.endIndex).toBe(0);
  expect(writer.commit(2)).toBe(1);
  expect([...log.snapshot()]).toEqual([1, 2, 3]);
  expect(writer.append(4)).toBe(3);
});

test('a span is as long as its segment has room for; it rolls only when the segment is full', () => {
  const { writer, log } = AtomicLog.claimed(options);
  writer.append(0);
  expect(writer.reserve(100).length).toBe(3);
  writer.commit(3);
  expect(log.stats().rolls).toBe(0);
  expect(writer.reserve(100).length).toBe(4);
  expect(log.stats().rolls).toBe(1);
  writer.commit(0);
  expect(log.endIndex).toBe(4);
  expect(writer.append(7)).toBe(4);
});

test('columns of records', () => {
  const { writer, log } = AtomicLog.claimed({ ...options, schema: { x: 'f64', n: 'i64' } });
  const span = writer.reserve(2);
  span.column('x').set([0.5, 1.5]);
  span.column('n').set([1n, 2n]);
  writer.commit(2);
  expect([...log.snapshot()]).toEqual([
    { x: 0.5, n: 1n },
    { x: 1.5, n: 2n },
  ]);
  const next = writer.reserve(1);
  expect(() => next.values).toThrow(code('ERR_UNKNOWN_FIELD'));
  expect(() => next.column('y' as 'x')).toThrow(code('ERR_UNKNOWN_FIELD'));
});

test('while a span is open nothing else can be appended, and nothing changes', () => {
  const { writer, log } = AtomicLog.claimed(options);
  writer.write(1);
  writer.reserve(1);
  for (const attempt of [
    () => writer.append(2),
    () => writer.write(2),
    () => writer.appendBatch([2]),
    () => writer.appendBatch(new Float64Array(1)),
    () => writer.appendBatch([]),
    () => writer.reserve(1),
    () => writer.end(),
  ]) {
    expect(attempt).toThrow(code('ERR_SPAN_OPEN'));
  }
  expect(log.endIndex).toBe(0);
  writer.publish();
  expect(log.endIndex).toBe(1);
  writer.commit(0);
  expect(writer.append(2)).toBe(1);
});

test('a span ends at its commit and at close', () => {
  const { writer } = AtomicLog.claimed(options);
  const span = writer.reserve(1);
  writer.commit(1);
  expect(() => span.values).toThrow(code('ERR_SPAN_OVER'));
  expect(() => writer.commit(1)).toThrow(code('ERR_SPAN_OVER'));
  const last = writer.reserve(1);
  writer.close();
  expect(() => last.values).toThrow(code('ERR_SPAN_OVER'));
  expect(() => writer.commit(0)).toThrow(code('ERR_WRITER_CLOSED'));
  expect(() => writer.reserve(1)).toThrow(code('ERR_WRITER_CLOSED'));
});

test('bad counts', () => {
  const { writer, log } = AtomicLog.claimed(options);
  for (const bad of [0, -1, 1.5, NaN]) expect(() => writer.reserve(bad)).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => writer.reserve('1' as any)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  expectError(
    () => writer.reserve(Infinity),
    'ERR_OUT_OF_RANGE',
    /^count must be an integer of at least 1; got Infinity$/,
  );
  writer.reserve(2);
  for (const bad of [3, -1, 0.5]) expect(() => writer.commit(bad)).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => writer.commit(undefined as any)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  expect(writer.commit(2)).toBe(0);
  expect(log.endIndex).toBe(2);
});

test.each([
  ['a byte stream takes', detach],
  ['structuredClone takes, if it may', tryTransfer],
])('a span whose ArrayBuffer %s loses nothing', (_name, take) => {
  const { writer, log } = AtomicLog.claimed(options);
  const span = writer.reserve(2);
  const { values } = span;
  values.set([1, 2]);
  take(values.buffer);
  writer.commit(2);
  writer.append(3);
  writer.append(4);
  writer.append(5);
  expect([...log.snapshot()]).toEqual([1, 2, 3, 4, 5]);
});
