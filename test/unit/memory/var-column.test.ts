/** What chunks show of values of variable size. */
import { AtomicLog, json, utf8, VarColumn, type Codec } from 'atomic-log';

import { expectError } from '../../support/errors';
import { SMALL } from '../../support/logs';
import { testExternal } from '../../support/mapping';
import { detach, nextTurn } from '../../support/memory';
import { testOfSharedMappings } from '../../support/strict';

const schema = { id: 'u8', name: 'utf8', raw: 'bytes' } as const;

function filled(count: number): AtomicLog<{ id: number; name: string; raw: Uint8Array }> {
  const { writer, log } = AtomicLog.claimed({ ...SMALL, schema });
  for (let i = 0; i < count; ++i)
    writer.append({ id: i, name: 'é'.repeat(i), raw: new Uint8Array(i).fill(i) });
  return log;
}

test('offsets and data are those of Arrow', () => {
  using snapshot = filled(4).snapshot();
  const [chunk] = snapshot.chunks();
  const name = chunk!.column('name');
  expect(name).toBeInstanceOf(VarColumn);
  expect(name.length).toBe(4);
  expect(name.offsets).toEqual(Int32Array.of(0, 0, 2, 6, 12));
  expect(name.data).toEqual(new Uint8Array(Buffer.from('é'.repeat(6))));
  expect(chunk!.column('raw').data).toEqual(Uint8Array.of(1, 2, 2, 3, 3, 3));
  expect(chunk!.column('id')).toEqual(Uint8Array.of(0, 1, 2, 3));
});

test('at() gives values, bytesAt() views of the same memory', () => {
  using snapshot = filled(6).snapshot();
  const [first, second] = snapshot.chunks();
  const name = second!.column('name');
  expect([...name]).toEqual(['éééé', 'ééééé']);
  expect([name.at(0), name.at(1)]).toEqual(['éééé', 'ééééé']);
  expect(name.bytesAt(1)).toEqual(new Uint8Array(Buffer.from('ééééé')));
  const raw = first!.column('raw');
  expect(raw.bytesAt(3)!.buffer).toBe(raw.data.buffer);
  expect(raw.bytesAt(3)!.buffer).toBe(first!.column('id').buffer);
  expect(raw.at(3)!.buffer).not.toBe(raw.data.buffer);
  expect(Object.getPrototypeOf(raw.bytesAt(3))).toBe(Uint8Array.prototype);
});

test.each([-1, 4, 0.5, NaN, Infinity, '0', undefined, null])('there is nothing at %p', (i) => {
  using snapshot = filled(4).snapshot();
  const name = snapshot.chunks()[0]!.column('name');
  expect(name.at(i as number)).toBeUndefined();
  expect(name.bytesAt(i as number)).toBeUndefined();
});

test('a chunk that begins inside a segment has offsets from there', async () => {
  const log = filled(4);
  for await (const batch of log.follow({ from: 2 })) {
    const [chunk] = batch.chunks();
    const name = chunk!.column('name');
    expect([chunk!.firstIndex, name.length]).toEqual([2, 2]);
    expect(name.offsets).toEqual(Int32Array.of(2, 6, 12));
    expect([...name]).toEqual(['éé', 'ééé']);
    expect(chunk!.at(0)).toEqual({ id: 2, name: 'éé', raw: Uint8Array.of(2, 2) });
    break;
  }
});

test('encoded shows the values of a codec', () => {
  const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: json<{ a: number }>() });
  writer.append({ a: 1 });
  using snapshot = log.snapshot();
  const [chunk] = snapshot.chunks();
  const { encoded } = chunk!;
  expect(Buffer.from(encoded.bytesAt(0)!).toString()).toBe('{"a":1}');
  expect(encoded.at(0)).toEqual({ a: 1 });
  expect(chunk!.at(0)).toEqual({ a: 1 });
});

testExternal('shows nothing once the memory was transferred away', () => {
  using snapshot = filled(4).snapshot();
  const [chunk] = snapshot.chunks();
  const name = chunk!.column('name');
  detach(name.data.buffer);
  expect([name.at(0), name.bytesAt(0), [...name]]).toEqual([undefined, undefined, []]);
  expect([name.offsets.length, name.data.length, chunk!.at(0)]).toEqual([1, 0, undefined]);
  expect(snapshot.at(1)!.name).toBe('é');
});

// --- Error paths.

test('is made by the library only', () => {
  expectError(
    () => new (VarColumn as never as new () => unknown)(),
    'ERR_ILLEGAL_CONSTRUCTOR',
    /chunk\.column/,
  );
});

test('the wrong view for a log says which one is right', () => {
  const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: utf8 });
  writer.append('a');
  const [encoded] = log.snapshot().chunks();
  const [records] = filled(1).snapshot().chunks();
  const numbers = AtomicLog.claimed(SMALL);
  numbers.writer.append(1);
  const [plain] = numbers.log.snapshot().chunks();
  expectError(() => encoded!.values, 'ERR_VARIABLE_SIZE', /use encoded/);
  expectError(
    () => encoded!.column('length' as never),
    'ERR_UNKNOWN_FIELD',
    /a log with a codec has no columns; use encoded/,
  );
  expectError(() => records!.encoded, 'ERR_VARIABLE_SIZE', /no codec; use values or column/);
  expectError(() => plain!.encoded, 'ERR_VARIABLE_SIZE', /no codec; use values or column/);
  expectError(() => records!.values, 'ERR_UNKNOWN_FIELD', /use column/);
});

test('a cursor reads strings, bytes and decoded values', () => {
  using snapshot = filled(6).snapshot();
  const row = snapshot.cursor();
  const names: string[] = [];
  while (row.next()) names.push(`${row.get('id')}${row.get('name')}${row.get('raw').length}`);
  expect(names).toEqual(['00', '1é1', '2éé2', '3ééé3', '4éééé4', '5ééééé5']);
  expect(row.value).toEqual(snapshot.at(-1));
  const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: json<number[]>() });
  writer.append([1, 2]);
  using lists = log.snapshot();
  const cursor = lists.cursor();
  expect(cursor.value).toBeUndefined();
  cursor.next();
  expect(cursor.value).toEqual([1, 2]);
});

testOfSharedMappings('values that nothing pins any more are read from copies', async () => {
  const decoded: Uint8Array[] = [];
  const spy: Codec<string> = {
    name: 'spy',
    encode: (text) => Buffer.from(text),
    decode(bytes) {
      decoded.push(bytes);
      return Buffer.from(bytes).toString();
    },
  };
  const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: spy });
  writer.appendBatch(['a', 'bc', 'def']);
  const snapshot = log.snapshot();
  const [chunk] = snapshot.chunks();
  const { buffer } = chunk!.encoded.data;
  const read = (): unknown[] => [chunk!.at(1), chunk!.encoded.at(1), ...chunk!.encoded];

  expect(read()).toEqual(['bc', 'bc', 'a', 'bc', 'def']);
  expect(decoded.every((bytes) => bytes.buffer === buffer)).toBe(true);

  snapshot.close();
  // The window is kept for the rest of the turn.
  await nextTurn();
  decoded.length = 0;
  expect(read()).toEqual(['bc', 'bc', 'a', 'bc', 'def']);
  expect(decoded.map((bytes) => bytes.buffer === buffer)).toEqual([false, false, false, false, false]);
});

testOfSharedMappings('records that nothing pins any more are read from copies', async () => {
  const log = filled(4);
  const snapshot = log.snapshot();
  const [chunk] = snapshot.chunks();
  snapshot.close();
  await nextTurn();
  const expected = { id: 2, name: 'éé', raw: Uint8Array.of(2, 2) };
  expect(chunk!.at(2)).toEqual(expected);
  expect([chunk!.column('name').at(2), chunk!.column('raw').at(2)]).toEqual([expected.name, expected.raw]);
});
