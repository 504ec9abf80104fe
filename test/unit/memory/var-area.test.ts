/** Values of variable size in segments: early seals, room, claims that change hands, damaged offsets. */
import { AtomicLog, bytes, utf8 } from 'atomic-log';

import { expectError } from '../../support/errors';
import { bounds, entriesOf, expectConsistent, expectRefused, SMALL, type Claimed } from '../../support/logs';
import { detach, nextTurn } from '../../support/memory';

interface Row {
  id: number;
  name: string;
  raw: Uint8Array;
}

const schema = { id: 'u32', name: 'utf8', raw: 'bytes' } as const;

function row(id: number): Row {
  return { id, name: 'n'.repeat(id % 7), raw: new Uint8Array(id % 5).fill(id) };
}

function rows(begin: number, end: number): Row[] {
  return Array.from({ length: end - begin }, (_, i) => row(begin + i));
}

/** Three segments of at most four records and of 8 bytes for each field of variable size. */
function rowLog(count = 0): Claimed<Row> {
  const claimed = AtomicLog.claimed({ ...SMALL, schema, dataBytes: 8 });
  for (let i = 0; i < count; ++i) claimed.writer.append(row(i));
  return claimed;
}

function texts(dataBytes: number, ...values: string[]): Claimed<string> {
  const claimed = AtomicLog.claimed({ ...SMALL, codec: utf8, dataBytes });
  for (const value of values) claimed.writer.append(value);
  return claimed;
}

function lengthsOf<T>(log: AtomicLog<T>): number[] {
  using snapshot = log.snapshot();
  return snapshot.chunks().map(({ length }) => length);
}

describe('a segment is sealed early', () => {
  test('when the next value has no room, and not before', () => {
    const { writer, log } = texts(10, 'abcde', 'fghij', '', '');
    expect(log.stats().rolls).toBe(0);
    expect(writer.append('')).toBe(4);
    expect(log.stats()).toMatchObject({ rolls: 1, earlySeals: 0 });
    writer.append('abcdefghij');
    expect(log.stats()).toMatchObject({ rolls: 1, earlySeals: 0 });
    expect(writer.append('k')).toBe(6);
    expect(log.stats()).toMatchObject({ rolls: 2, earlySeals: 1 });
    expect(lengthsOf(log)).toEqual([4, 2, 1]);
    expectConsistent(log);
  });

  test('by whichever field is full first', () => {
    const { writer, log } = rowLog();
    const raw = new Uint8Array(0);
    writer.append({ id: 0, name: '12345678', raw });
    writer.append({ id: 1, name: '', raw: new Uint8Array(8) });
    writer.append({ id: 2, name: '', raw: new Uint8Array(1) });
    writer.append({ id: 3, name: '9', raw: new Uint8Array(7) });
    writer.append({ id: 4, name: '1234567', raw });
    writer.append({ id: 5, name: '8', raw });
    expect(lengthsOf(log)).toEqual([2, 3, 1]);
    expect(entriesOf(log).map(({ id, name }) => `${id}${name}`)).toEqual([
      '012345678',
      '1',
      '2',
      '39',
      '41234567',
      '58',
    ]);
  });

  test('so that fewer entries are retained, with exact indexes', () => {
    const { log } = texts(4, ...'abcdefghij'.split('').map((letter) => letter.repeat(4)));
    expect(bounds(log)).toEqual([7, 10]);
    expect(entriesOf(log)).toEqual(['hhhh', 'iiii', 'jjjj']);
    expect(log.latest()).toBe('jjjj');
  });

  test('and snapshots count what is new and lost exactly', () => {
    const { writer, log } = texts(4, 'aaaa', 'bbbb');
    using refreshed = log.snapshot();
    using extended = log.snapshot();
    writer.append('cc');
    writer.append('dd');
    expect(refreshed.refresh()).toEqual({ appended: 2, lost: 0 });
    expect(extended.extend()).toEqual({ appended: 2, lost: 0 });
    for (const text of ['eeee', 'ffff', 'gggg', 'hhhh', 'iiii']) writer.append(text);
    expect(refreshed.refresh()).toEqual({ appended: 3, lost: 2 });
    expect([...refreshed]).toEqual(['gggg', 'hhhh', 'iiii']);
    expect(extended.extend()).toEqual({ appended: 3, lost: 2 });
    expect(refreshed.get(5)).toBeUndefined();
    expect(refreshed.get(6)).toBe('gggg');
    expect(refreshed.at(-3)).toBe('gggg');
  });

  test('and followers deliver every entry once', async () => {
    const { writer, log } = AtomicLog.claimed({
      retainedCapacity: 100,
      segmentCapacity: 8,
      codec: utf8,
      dataBytes: 20,
    });
    const all = Array.from({ length: 60 }, (_, i) => 'x'.repeat(i % 13) + i);
    for (const value of all.slice(0, 20)) writer.append(value);
    const seen: string[] = [];
    let lost = 0;
    const following = (async () => {
      for await (const batch of log.follow({ from: 'oldest', batchEntriesMax: 5 })) {
        lost += batch.lost;
        expect(batch.firstIndex).toBe(seen.length + lost);
        seen.push(...batch);
      }
    })();
    for (const value of all.slice(20)) {
      writer.append(value);
      await new Promise((resolve) => setImmediate(resolve));
    }
    writer.end();
    await following;
    expect(seen).toEqual(all.slice(lost));
  });

  test('publishes what is staged', () => {
    const { writer, log } = texts(4);
    writer.write('aa');
    writer.write('bb');
    expect(log.endIndex).toBe(0);
    writer.write('cc');
    expect(entriesOf(log)).toEqual(['aa', 'bb']);
    writer.publish();
    expect(entriesOf(log)).toEqual(['aa', 'bb', 'cc']);
  });
});

describe('a value that no segment has room for', () => {
  test('is refused, and nothing has changed: it begins no segment either', () => {
    for (const count of [0, 1, 3, 4, 9]) {
      const claimed = rowLog(count);
      const large = { ...row(0), name: 'ä'.repeat(5) };
      const message =
        /the field name needs 10 bytes, and a segment has room for 8; make the log with a larger dataBytes/;
      expectRefused(claimed, ({ writer }) => writer.append(large), 'ERR_VALUE_TOO_LARGE', message);
      expectRefused(claimed, ({ writer }) => writer.write(large), 'ERR_VALUE_TOO_LARGE', message);
      expectRefused(
        claimed,
        ({ writer }) => writer.appendBatch([row(1), large]),
        'ERR_VALUE_TOO_LARGE',
        message,
      );
      const raw = new Uint8Array(9);
      const other = /the field raw needs 9 bytes/;
      expectRefused(claimed, ({ writer }) => writer.append({ ...row(0), raw }), 'ERR_VALUE_TOO_LARGE', other);
    }
  });

  test('is refused in a column, with its place', () => {
    const claimed = rowLog(2);
    const columns = { id: Uint32Array.of(1, 2), raw: [new Uint8Array(0), new Uint8Array(9)] };
    const message = /entries\.raw\[1\] needs 9 bytes, and a segment has room for 8/;
    expectRefused(
      claimed,
      ({ writer }) => writer.appendBatch({ ...columns, name: ['', ''] }),
      'ERR_VALUE_TOO_LARGE',
      message,
    );
  });
});

describe('values', () => {
  test.each([undefined, null, 1, 1n, true, Symbol('a'), {}, [], new String('a'), new Uint8Array(1)])(
    'utf8 refuses %p',
    (name) => {
      const message = /the field name (must be a string \(utf8\)|is missing)/;
      const bad = { ...row(1), name } as never;
      expectRefused(rowLog(3), ({ writer }) => writer.append(bad), 'ERR_INVALID_ARG_TYPE', message);
      expectRefused(rowLog(3), ({ writer }) => writer.appendBatch([bad]), 'ERR_INVALID_ARG_TYPE', message);
    },
  );

  test.each([
    undefined,
    null,
    1,
    'a',
    [1],
    new ArrayBuffer(1),
    new DataView(new ArrayBuffer(1)),
    new Int8Array(1),
    new Uint8ClampedArray(1),
    new Uint16Array(1),
  ])('bytes refuses %p', (raw) => {
    const message = /the field raw must be a Uint8Array \(bytes\)/;
    const bad = { ...row(1), raw } as never;
    expectRefused(rowLog(3), ({ writer }) => writer.append(bad), 'ERR_INVALID_ARG_TYPE', message);
  });

  test('bytes takes buffers, parts of buffers, shared and detached ones', () => {
    const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: bytes });
    const detached = new Uint8Array(3);
    detach(detached.buffer);
    class Mine extends Uint8Array {
      override get length(): number {
        return 1e9;
      }
    }
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
    writer.append(Buffer.from('abc'));
    writer.append(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
    writer.append(shared);
    writer.append(detached);
    writer.append(new Mine([5]));
    writer.appendBatch([shared, new Mine([6]), detached]);
    expect(entriesOf(log).map((value) => [...value])).toEqual([
      [97, 98, 99],
      [2, 3],
      [7, 7],
      [],
      [5],
      [7, 7],
      [6],
      [],
    ]);
  });

  test('bytes that are read are copies, which outlive the snapshot', () => {
    const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: bytes });
    const value = Uint8Array.of(1, 2, 3);
    writer.append(value);
    value.fill(9);
    const read = log.latest()!;
    expect([...read]).toEqual([1, 2, 3]);
    expect(read.buffer.byteLength).toBe(3);
    read.fill(0);
    expect([...log.latest()!]).toEqual([1, 2, 3]);
  });

  test('one array that is used again for every entry of a batch is copied each time', () => {
    const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: bytes });
    const value = new Uint8Array(2);
    writer.appendBatch(
      (function* () {
        for (let i = 0; i < 4; ++i) yield value.fill(i);
      })(),
    );
    expect(entriesOf(log).map((read) => [...read])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });
});

describe('the writer', () => {
  test('that is closed drops what it staged, and the next one goes on after what is published', () => {
    const { writer, log } = rowLog();
    writer.append(row(3));
    writer.write(row(4));
    writer.close();
    using next = log.tryClaimWriter()!;
    expect(next.append(row(1))).toBe(1);
    expect(next.append(row(2))).toBe(2);
    expect(entriesOf(log)).toEqual([row(3), row(1), row(2)]);
    expectConsistent(log);
  });

  test('that begins a segment stores its first offset anew, whatever the memory holds', async () => {
    const { writer, log } = texts(16, 'abc');
    const snapshot = log.snapshot();
    snapshot.chunks()[0]!.encoded.offsets[0] = 2;
    expect(snapshot.at(0)).toBe('c');
    snapshot.close();
    await nextTurn();
    const full = 'x'.repeat(16);
    for (let i = 0; i < 10; ++i) {
      writer.append(full);
      expect(log.latest()).toBe(full);
      // Not pinned beyond the turn, or the damaged block would never be used again.
      await nextTurn();
    }
    expect(log.stats().fresh).toBeLessThan(6);
  });

  test('reserves nothing where sizes are not known', () => {
    const message = /entries of fixed size only; write\(\) and publish\(\), or appendBatch\(\)/;
    expectRefused(rowLog(2), ({ writer }) => writer.reserve(1), 'ERR_VARIABLE_SIZE', message);
    expectRefused(texts(4, 'a'), ({ writer }) => writer.reserve(1), 'ERR_VARIABLE_SIZE', message);
  });

  test('that is closed refuses values of variable size', () => {
    const { writer } = rowLog(2);
    writer.close();
    expectError(() => writer.append(row(1)), 'ERR_WRITER_CLOSED', /the writer is closed/);
    expectError(() => writer.appendBatch([row(1)]), 'ERR_WRITER_CLOSED', /the writer is closed/);
    expectError(() => writer.appendBatch([]), 'ERR_WRITER_CLOSED', /the writer is closed/);
  });

  test('a getter of a record may append, close, and detach what another field holds', () => {
    const { writer, log } = rowLog();
    const raw = new Uint8Array(3);
    const nested = {
      id: 1,
      raw,
      get name() {
        writer.append(row(0));
        detach(raw.buffer);
        return 'after';
      },
    };
    expect(writer.append(nested)).toBe(1);
    expect(entriesOf(log)).toEqual([row(0), { id: 1, name: 'after', raw: new Uint8Array(0) }]);
    const closing = {
      ...row(1),
      get name() {
        writer.close();
        return 'x';
      },
    };
    expectError(() => writer.append(closing), 'ERR_WRITER_CLOSED', /the writer is closed/);
    expect(entriesOf(log)).toHaveLength(2);
  });
});

describe('stray stores', () => {
  test('into the offsets make wrong values, but neither crash nor reach beyond the data', () => {
    for (const damage of [-1, -(2 ** 31), 2 ** 31 - 1, 9, 5, 1]) {
      const { writer, log } = rowLog();
      writer.append({ id: 0, name: 'abcd', raw: new Uint8Array(4) });
      writer.append({ id: 1, name: 'efg', raw: new Uint8Array(4) });
      using snapshot = log.snapshot();
      const [chunk] = snapshot.chunks();
      const name = chunk!.column('name');
      const raw = chunk!.column('raw');
      for (let i = 0; i <= 2; ++i) {
        name.offsets[i] = damage;
        raw.offsets[i] = damage;
        for (const entry of snapshot) {
          expect(entry.name.length).toBeLessThanOrEqual(8);
          expect(entry.raw.length).toBeLessThanOrEqual(8);
        }
        for (let j = 0; j < 2; ++j) expect(name.bytesAt(j)!.length).toBeLessThanOrEqual(8);
        expect(name.data.length).toBeLessThanOrEqual(8);
      }
      // The next writer finds the damage too.
      writer.close();
      using next = log.tryClaimWriter()!;
      for (let i = 0; i < 9; ++i) next.append(row(i));
      next.appendBatch(rows(0, 9));
      expect(entriesOf(log).slice(-4)).toEqual(rows(5, 9));
    }
  });
});
