/** Logs of any values: codecs of users, whatever these do. */
import {
  AtomicLog,
  bytes,
  json,
  structured,
  utf8,
  type Codec,
  type ErrorCode,
  type Writer,
} from 'atomic-log';

import { claimedWith, ways } from '../../support/codecs';
import { expectError, thrownBy } from '../../support/errors';
import { entriesOf, expectConsistent, expectRefused, SMALL, stateOf, type Claimed } from '../../support/logs';
import { testExternal } from '../../support/mapping';
import { detach } from '../../support/memory';

interface Point {
  x: number;
  y: number;
}

function pointOf(view: Uint8Array): Point {
  const data = new DataView(view.buffer, view.byteOffset, view.byteLength);
  return { x: data.getFloat64(0), y: data.getFloat64(8) };
}

function writePoint({ x, y }: Point, target: Uint8Array): number {
  if (target.length < 16) return -1;
  const data = new DataView(target.buffer, target.byteOffset, target.byteLength);
  data.setFloat64(0, x);
  data.setFloat64(8, y);
  return 16;
}

/** A codec of a user, that uses its memory again for the next value. */
const scratch = new Uint8Array(16);
const points: Codec<Point> = {
  name: 'point',
  encode: (point) => scratch.subarray(0, writePoint(point, scratch)),
  decode: pointOf,
};
const pointsInPlace: Codec<Point> = { ...points, encodeInto: writePoint };

function point(i: number): Point {
  return { x: i, y: -i / 2 };
}

describe.each([
  ['encode()', points],
  ['encodeInto()', pointsInPlace],
])('a codec of a user with %s', (_name, codec) => {
  test.each([16, 17, 40, 64, 1000])('stores and reads its values, in segments of %p bytes', (dataBytes) => {
    const { writer, log } = claimedWith(codec, dataBytes);
    for (let i = 0; i < 9; ++i) expect(writer.append(point(i))).toBe(i);
    writer.appendBatch([9, 10, 11].map(point));
    writer.write(point(12));
    writer.publish();
    expect(entriesOf(log)).toEqual(
      Array.from({ length: 13 - log.firstIndex }, (_, i) => point(log.firstIndex + i)),
    );
    expectConsistent(log);
  });

  test('refuses a value that no segment has room for', () => {
    const log = claimedWith(codec, 15);
    const message = /(the value|entries\[0\]) needs 16 bytes, and a segment has room for 15/;
    for (const [, give] of ways) {
      expectRefused(
        log,
        ({ writer }) => give(writer as Writer<unknown>, point(1)),
        'ERR_VALUE_TOO_LARGE',
        message,
      );
    }
  });

  test('keeps its "this"', () => {
    class Stateful implements Codec<Point> {
      readonly name = 'stateful';
      calls = 0;
      encode(value: Point): Uint8Array {
        ++this.calls;
        return points.encode(value);
      }
      decode(view: Uint8Array): Point {
        ++this.calls;
        return points.decode(view);
      }
    }
    const stateful = new Stateful();
    const { writer, log } = claimedWith(stateful);
    writer.append(point(1));
    expect([log.latest(), stateful.calls]).toEqual([point(1), 2]);
  });
});

describe('encodeInto()', () => {
  test('writes into the log, and encode() is asked only when there is too little room', () => {
    const asked: string[] = [];
    const { writer, log } = claimedWith<Point>(
      {
        ...points,
        encode(value) {
          asked.push('encode');
          return points.encode(value);
        },
        encodeInto(value, target) {
          asked.push(`encodeInto ${target.length}`);
          return writePoint(value, target);
        },
      },
      40,
    );
    for (let i = 0; i < 4; ++i) writer.append(point(i));
    expect(asked).toEqual(['encodeInto 40', 'encodeInto 24', 'encodeInto 8', 'encode', 'encodeInto 24']);
    expect(entriesOf(log)).toEqual([0, 1, 2, 3].map(point));
  });

  test('may write no byte', () => {
    const { writer, log } = claimedWith<null>(
      { name: 'none', encode: () => new Uint8Array(0), encodeInto: () => 0, decode: () => null },
      1,
    );
    for (let i = 0; i < 5; ++i) writer.append(null);
    expect(entriesOf(log)).toEqual([null, null, null, null, null]);
  });

  test.each([-2, 0.5, NaN, Infinity, 257, 2 ** 32, '1', 1n, null, undefined, {}, new Uint8Array(1)])(
    'that returns %p is refused, and nothing has changed',
    (result) => {
      const log = claimedWith<number>({
        ...points,
        name: 'liar',
        encode: () => scratch,
        encodeInto: () => result as number,
        decode: () => 1,
      });
      const message = /the codec "liar": encodeInto\(\) must return -1 or a length up to 256; got/;
      expectRefused(log, ({ writer }) => writer.append(1), 'ERR_CODEC_RESULT', message);
      expectRefused(log, ({ writer }) => writer.write(1), 'ERR_CODEC_RESULT', message);
    },
  );

  test('that throws half-way leaves the log as it was', () => {
    const failure = new Error('half-way');
    const log = claimedWith<number>({
      name: 'half',
      encode: (value) => Uint8Array.of(value),
      encodeInto(value, target) {
        target.fill(255);
        if (value > 1) throw failure;
        target[0] = value;
        return 1;
      },
      decode: (view) => view[0]!,
    });
    log.writer.append(1);
    log.writer.write(0);
    const before = stateOf(log);
    expect(thrownBy(() => log.writer.append(2))).toBe(failure);
    expect(thrownBy(() => log.writer.write(2))).toBe(failure);
    expect(stateOf(log)).toEqual(before);
    log.writer.append(1);
    expect(entriesOf(log.log)).toEqual([1, 0, 1]);
  });

  /** A log whose codec does something to it while it writes. */
  function acting(act: (log: Claimed<number>, target: Uint8Array) => unknown): Claimed<number> {
    const log: Claimed<number> = claimedWith<number>({
      name: 'acting',
      encode: (value) => Uint8Array.of(value),
      encodeInto(value, target) {
        target[0] = value;
        act(log, target);
        return 1;
      },
      decode: (view) => view[0]!,
    });
    return log;
  }

  const busy = /encodeInto\(\) is writing an entry/;

  test.each<[string, (writer: Writer<number>) => unknown]>([
    ['append()', (writer) => writer.append(9)],
    ['write()', (writer) => writer.write(9)],
    ['appendBatch()', (writer) => writer.appendBatch([9])],
    ['appendBatch() of nothing', (writer) => writer.appendBatch([])],
  ])('cannot %s meanwhile', (_name, give) => {
    const log = acting(({ writer }) => give(writer));
    expectRefused(log, ({ writer }) => writer.append(1), 'ERR_WRITER_BUSY', busy);
    const forgiving = acting(({ writer }) => expectError(() => give(writer), 'ERR_WRITER_BUSY', busy));
    for (let i = 0; i < 9; ++i) expect(forgiving.writer.append(i)).toBe(i);
    expect(entriesOf(forgiving.log)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].slice(forgiving.log.firstIndex));
  });

  test('may publish what was staged before', () => {
    const { writer, log } = acting((own) => own.writer.publish());
    writer.write(1);
    writer.write(2);
    expect(entriesOf(log)).toEqual([1]);
  });

  test.each<[string, ErrorCode, (log: Claimed<number>) => unknown]>([
    ['close the writer', 'ERR_WRITER_CLOSED', ({ writer }) => writer.close()],
    ['end the log', 'ERR_LOG_ENDED', ({ writer }) => writer.end()],
    [
      'hand the claim over',
      'ERR_WRITER_CLOSED',
      ({ writer, log }) => {
        writer.close();
        using next = log.tryClaimWriter()!;
        expect(() => next.append(7)).toThrow('closed');
      },
    ],
  ])('may %s: then nothing is stored', (_name, code, act) => {
    const log = acting(act);
    expectError(() => log.writer.append(1), code, /the writer is closed|this writer has ended its log/);
    expect([entriesOf(log.log), log.log.isWriterClaimed]).toEqual([[], false]);
  });

  test('may read the log, take snapshots and close it', () => {
    const { writer, log } = acting((own) => {
      if (own.log.isClosed) return;
      expect(entriesOf(own.log)).toHaveLength(own.log.endIndex);
      if (own.log.endIndex === 3) own.log.close();
    });
    using snapshot = log.snapshot();
    for (let i = 0; i < 5; ++i) writer.append(i);
    snapshot.refresh();
    expect([...snapshot]).toEqual([0, 1, 2, 3, 4]);
  });

  testExternal('that lets its target be transferred away is refused, and the next one gets another', () => {
    let isBad = true;
    const log = acting((_log, target) => {
      if (isBad) detach(target.buffer);
    });
    const message = /the codec "acting": encodeInto\(\) must keep its target/;
    expectRefused(log, ({ writer }) => writer.append(1), 'ERR_CODEC_RESULT', message);
    isBad = false;
    expect(log.writer.append(2)).toBe(0);
    expect(entriesOf(log.log)).toEqual([2]);
  });
});

describe('encode()', () => {
  function withEncode(encode: (value: unknown) => unknown): Claimed<unknown> {
    return claimedWith<unknown>({ name: 'bad', encode: encode as never, decode: (view) => view.length });
  }

  describe.each(ways)('%s', (_name, give) => {
    test.each([
      undefined,
      null,
      1,
      'text',
      [1],
      {},
      new ArrayBuffer(1),
      new Uint16Array(1),
      new Proxy(new Uint8Array(1), {}),
    ])('that returns %p is refused, and nothing has changed', (result) => {
      const message = /the codec "bad": encode\(\) must return a Uint8Array; got/;
      expectRefused(
        withEncode(() => result),
        ({ writer }) => give(writer, 1),
        'ERR_CODEC_RESULT',
        message,
      );
    });

    test('that lies about the length of what it returns is not believed', () => {
      class Liar extends Uint8Array {
        override get length(): number {
          return 1e6;
        }
        override get byteLength(): number {
          return 1e6;
        }
        override get byteOffset(): number {
          return -8;
        }
      }
      const { writer, log } = withEncode(() => Object.defineProperty(new Liar(3), 'length', { value: 1e9 }));
      give(writer, 1);
      writer.publish();
      expect(entriesOf(log)).toEqual([3]);
    });

    test('that throws leaves the log as it was', () => {
      const failure = { not: 'an error' };
      const log = withEncode(() => {
        throw failure;
      });
      const before = stateOf(log);
      expect(thrownBy(() => give(log.writer, 1))).toBe(failure);
      expect(stateOf(log)).toEqual(before);
    });

    test('may append: its entries come first, over many segments', () => {
      let isInner = false;
      const { writer, log } = claimedWith<number>({
        name: 'nesting',
        encode(value) {
          if (!isInner) {
            isInner = true;
            for (let i = 0; i < 6; ++i) writer.append(100 + i);
            writer.appendBatch([106, 107]);
            isInner = false;
          }
          return Uint8Array.of(value);
        },
        decode: (view) => view[0]!,
      });
      expect(give(writer as Writer<unknown>, 1)).toBe(8);
      writer.publish();
      expect(entriesOf(log)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 1].slice(log.firstIndex));
      expectConsistent(log);
    });

    test('may close the writer: then nothing is stored', () => {
      const log = withEncode(() => {
        log.writer.close();
        return new Uint8Array(1);
      });
      expectError(() => give(log.writer, 1), 'ERR_WRITER_CLOSED', /the writer is closed/);
      expect(entriesOf(log.log)).toEqual([]);
    });
  });

  test('that throws in the middle of a batch leaves nothing of it', () => {
    const failure = new Error('third');
    const log = withEncode((value) => {
      if (value === 3) throw failure;
      return new Uint8Array(200);
    });
    log.writer.write(0);
    const before = stateOf(log);
    expect(thrownBy(() => log.writer.appendBatch([1, 2, 3, 4]))).toBe(failure);
    expect(stateOf(log)).toEqual(before);
  });
});

describe('decode()', () => {
  test('that throws passes its exception on, and the log is as sound as before', () => {
    const failure = new Error('cannot decode');
    let isBad = true;
    const { writer, log } = claimedWith<number>({
      name: 'moody',
      encode: (value) => Uint8Array.of(value),
      decode(view) {
        if (isBad) throw failure;
        return view[0]!;
      },
    });
    writer.append(1);
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    for (const read of [
      () => log.latest(),
      () => snapshot.at(0),
      () => [...snapshot],
      () => chunk!.at(0),
      () => chunk!.encoded.at(0),
    ]) {
      expect(thrownBy(read)).toBe(failure);
    }
    isBad = false;
    expect(entriesOf(log)).toEqual([1]);
    expect(log.stats().pinnedSegments).toBe(0);
  });

  test('may use the log: append, refresh and close the snapshot that is being read', () => {
    const { writer, log } = claimedWith<number>({
      name: 'busy',
      encode: (value) => Uint8Array.of(value),
      decode(view) {
        const value = view[0]!;
        if (value === 1) writer.appendBatch(Array.from({ length: 20 }, () => 9));
        if (value === 2) snapshot.close();
        return value;
      },
    });
    writer.appendBatch([1, 2, 3]);
    const snapshot = log.snapshot();
    const seen: number[] = [];
    const read = (): void => {
      for (const value of snapshot) seen.push(value);
    };
    expectError(read, 'ERR_SNAPSHOT_CLOSED', /the snapshot is closed/);
    expect(seen).toEqual([1, 2]);
    writer.append(3);
    expect(log.latest()).toBe(3);
  });
});

describe('options.codec', () => {
  test.each([null, 1, 'json', json, () => utf8])('refuses %p', (codec) => {
    const message = /options\.codec must be a codec: utf8, bytes, json\(\), structured\(\) or your own/;
    expectError(() => claimedWith(codec as never), 'ERR_INVALID_ARG_TYPE', message);
  });

  test.each([
    [{}, /codec\.name must be a string/],
    [{ name: 1 }, /codec\.name must be a string/],
    [{ name: 'a' }, /codec\.encode must be a function/],
    [{ name: 'a', encode: () => 1 }, /codec\.decode must be a function/],
    [{ name: 'a', encode: () => 1, decode: 1 }, /codec\.decode must be a function/],
    [{ ...points, encodeInto: true }, /codec\.encodeInto must be a function/],
  ])('refuses %p', (codec, message) => {
    expectError(() => claimedWith(codec as never), 'ERR_INVALID_ARG_TYPE', message);
  });

  test.each(['', 'utf8', 'bytes', 'json', 'structured'])(
    'refuses the name %p for the codec of a user',
    (name) => {
      const message = /is (empty|that of a codec of this package); choose another/;
      expectError(() => claimedWith({ ...points, name }), 'ERR_INVALID_ARG_VALUE', message);
    },
  );
});

describe('attach()', () => {
  test.each([utf8, bytes, json(), structured()])(
    'finds the codec $name of the package by itself',
    (codec) => {
      const { writer, log } = claimedWith(codec as Codec<unknown>);
      const value = codec === bytes ? Uint8Array.of(1) : 'text';
      writer.append(value);
      const handle = structuredClone(log.handle);
      expect(AtomicLog.attach(handle).latest()).toEqual(value);
      expect(AtomicLog.attach(handle, { codec: codec as Codec<unknown> }).latest()).toEqual(value);
      expect(AtomicLog.attach(handle, {}).latest()).toEqual(value);
      expectError(
        () => AtomicLog.attach(handle, { codec: points }),
        'ERR_CODEC_MISMATCH',
        /give \{ codec \} of that name, not "point"/,
      );
    },
  );

  test('needs the codec of a user again, and refuses another one', () => {
    const { writer, log } = claimedWith(points);
    writer.append(point(3));
    const { handle } = log;
    expect(AtomicLog.attach(handle, { codec: points }).latest()).toEqual(point(3));
    expect(AtomicLog.attach(handle, { codec: pointsInPlace }).latest()).toEqual(point(3));
    const message = /encoded by the codec "point"; give \{ codec \} of that name/;
    const before = log.stats();
    expectError(() => AtomicLog.attach(handle), 'ERR_CODEC_MISMATCH', message);
    expectError(() => AtomicLog.attach(handle, { codec: json<Point>() }), 'ERR_CODEC_MISMATCH', message);
    expectError(
      () => AtomicLog.attach(handle, { codec: { ...points, name: 'Point' } }),
      'ERR_CODEC_MISMATCH',
      message,
    );
    expectError(
      () => AtomicLog.attach(handle, { codec: 1 as never }),
      'ERR_INVALID_ARG_TYPE',
      /options\.codec/,
    );
    expectError(
      () => AtomicLog.attach(handle, null as never),
      'ERR_INVALID_ARG_TYPE',
      /options must be an object/,
    );
    expect(log.stats()).toEqual(before);
  });

  test('refuses a codec for a log that has none', () => {
    const { log } = AtomicLog.claimed(SMALL);
    const message = /the log has no codec, and options.codec is "json"; leave it out/;
    expectError(() => AtomicLog.attach(log.handle, { codec: json<number>() }), 'ERR_CODEC_MISMATCH', message);
  });

  test('that was refused keeps nothing alive', () => {
    const { writer, log } = claimedWith(points);
    const { handle } = log;
    expectError(() => AtomicLog.attach(handle), 'ERR_CODEC_MISMATCH', /point/);
    writer.close();
    log.close();
    expectError(() => AtomicLog.attach(handle, { codec: points }), 'ERR_LOG_GONE', /the log is gone/);
  });
});
