// Every call of the logs on disk, with each of the allocations refused in turn
// that a user's sizes, a file or a directory decide: a typed error, the process
// lives, nothing has changed on disk, and the same call works afterwards.
import { createHash } from 'node:crypto';

import { describeWithFaults, refusing, refusingOne } from '../../support/faults';

import { SegmentReader, SegmentWriter, Wal, WalReader } from 'atomic-log';

import { payload, temporaryDirectory } from '../../support/segments';

const { path } = temporaryDirectory();

/** More than the buffers of the writer have room for. */
const LARGE = 1 << 19;

/** Runs `call` with every allocation of its own refused, until it needs no more; returns how many it needs. */
async function refuseEach(call: () => unknown, check: () => void): Promise<number> {
  for (let count = 0; ; ++count) {
    const error = await refusing(count, call);
    if (error === undefined) return count;
    expect(error.code).toBe('ERR_OUT_OF_MEMORY');
    expect(error.message).toMatch(/memory/);
    check();
  }
}

describeWithFaults('memory that is refused to a segment file', () => {
  const SIZE = 1 << 22;
  const options = { size: SIZE, headerSize: 8 };

  /** The data of the records as text, of which a difference can be shown. */
  const textOf = (data: Iterable<Uint8Array>): string[] =>
    Array.from(data, (bytes) => createHash('sha1').update(bytes).digest('hex'));

  function records(file: string): string[] {
    const reader = SegmentReader.open(file, { headerSize: 8 });
    const found = textOf(Array.from(reader.records(), (record) => record.data));
    reader.close();
    return found;
  }

  function make(): { writer: SegmentWriter; file: string; offsets: number[]; data: Uint8Array[] } {
    const file = path('a.seg');
    const writer = SegmentWriter.createSync(file, options);
    const data = [payload(1, 10), payload(2, 2000), payload(3, 100)];
    const offsets = data.map((bytes, i) => writer.append(bytes, payload(i, 8)).offset);
    writer.flush();
    return { writer, file, offsets, data };
  }

  test('openSync() and reading', async () => {
    const file = path('a.seg');
    let writer: SegmentWriter | undefined;
    writer = SegmentWriter.createSync(file, options);
    const data = [payload(1, 10), payload(2, LARGE), payload(3, 2 * LARGE)];
    for (const bytes of data) writer!.append(bytes, payload(9, 8));
    writer!.closeSync();
    const opened = await refuseEach(
      () => (writer = SegmentWriter.openSync(file, { headerSize: 8 })),
      () => undefined,
    );
    expect(opened).toBeGreaterThan(2);
    expect(writer!.recovery!.records).toBe(3);
    writer!.closeSync();
    const read = await refuseEach(
      () => expect(records(file)).toEqual(textOf(data)),
      () => undefined,
    );
    expect(read).toBeGreaterThan(0);
  });

  const large = payload(7, LARGE);
  const compressible = new Uint8Array(LARGE).fill(7);
  const calls: [string, (writer: SegmentWriter, offsets: number[]) => unknown, Uint8Array[] | number][] = [
    ['append() of a large record', (writer) => writer.append(large, payload(9, 8)), [large]],
    [
      'appendBatch() of packed records',
      (writer) => writer.appendBatch(payload(5, 40 + LARGE), [40, LARGE]),
      [payload(5, 40).subarray(8), payload(5, 40 + LARGE).subarray(48)],
    ],
    ['setLengthSync()', (writer, offsets) => writer.setLengthSync(offsets[1]!), 1],
    ['replaceHeaderSync()', (writer, offsets) => writer.replaceHeaderSync(offsets[1]!, payload(9, 8)), 3],
  ];
  test.each(calls)('%s', async (_name, call, expected) => {
    const { writer, file, offsets, data } = make();
    const end = writer.writeOffset;
    const needed = await refuseEach(
      () => call(writer, offsets),
      () => {
        expect(writer.writeOffset).toBe(end);
        expect(records(file)).toEqual(textOf(data));
      },
    );
    expect(needed).toBeGreaterThan(0);
    writer.append(payload(8, 30), payload(8, 8));
    writer.closeSync();
    const kept = typeof expected === 'number' ? data.slice(0, expected) : [...data, ...expected];
    expect(records(file)).toEqual(textOf([...kept, payload(8, 30)]));
  });

  test('append() and data of a compressed record', async () => {
    const file = path('a.seg');
    const writer = SegmentWriter.createSync(file, { ...options, compression: 'zstd' });
    const end = writer.writeOffset;
    const needed = await refuseEach(
      () => writer.append(compressible, payload(9, 8)),
      () => expect(writer.writeOffset).toBe(end),
    );
    expect(needed).toBe(2);
    writer.closeSync();
    const reader = SegmentReader.open(file, { headerSize: 8 });
    const [record] = [...reader.records()];
    expect(
      await refuseEach(
        () => record!.data,
        () => undefined,
      ),
    ).toBe(1);
    expect(record!.isCompressed).toBe(true);
    expect(record!.data).toEqual(compressible);
    reader.close();
  });
});

describeWithFaults('memory that is refused to a write-ahead log', () => {
  /** As refuseEach(), where some of what is refused can be done without; runs it once with nothing refused. */
  async function refuseSome(call: () => unknown, check: () => void): Promise<number> {
    let refused = 0;
    for (let count = 0; ; ++count) {
      const { error, wasMet } = await refusingOne(count, call);
      if (error === undefined && !wasMet) return refused;
      if (error === undefined) continue;
      ++refused;
      expect(error.code).toBe('ERR_OUT_OF_MEMORY');
      expect(error.message).toMatch(/memory/);
      check();
    }
  }

  test('opening, appending in every way, reading, trimming and closing', async () => {
    const directory = path('log');
    const options = { segmentBytes: 1 << 20 };
    const large = payload(7, 3 << 18);
    let wal!: Wal;
    const opened = await refuseSome(
      () => {
        wal = Wal.openSync(directory, options);
        wal.closeSync();
      },
      () => undefined,
    );
    expect(opened).toBeGreaterThan(0);
    wal = Wal.openSync(directory, options);

    // Whatever is refused takes no LSN: those that were given out are all there is.
    const expected: [number, number][] = [];
    const calls: (() => Promise<unknown> | number)[] = [
      () => wal.appendSync(large),
      () => wal.append(large),
      () => wal.append(payload(1, 10)),
      async () => (await wal.appendBatch([large.subarray(0, 1 << 18), payload(2, 10)])).first,
    ];
    const sizes = [[large.length], [large.length], [10], [1 << 18, 10]];
    let refused = 0;
    for (const [i, call] of calls.entries()) {
      refused += await refuseSome(
        async () => {
          const first = (await call()) as number;
          sizes[i]!.forEach((size, at) => expected.push([first + at, size]));
        },
        () => expect(wal.lastLsn).toBe(expected.length),
      );
    }
    expect(refused).toBeGreaterThan(5);
    await wal.sync();
    expect(expected.map(([lsn]) => lsn)).toEqual(expected.map((_, i) => i + 1));

    const readAll = (source: Wal | WalReader): [number, number][] =>
      Array.from(source.entries(), ({ lsn, data }) => [lsn, data.length]);
    const read = await refuseSome(
      () => expect(readAll(wal)).toEqual(expected),
      () => undefined,
    );
    expect(read).toBeGreaterThan(0);
    const readElsewhere = await refuseSome(
      () => {
        const reader = WalReader.open(directory);
        try {
          expect(readAll(reader).length).toBeGreaterThan(0);
        } finally {
          reader.close();
        }
      },
      () => undefined,
    );
    expect(readElsewhere).toBeGreaterThan(0);

    await refuseSome(
      () => wal.checkpointSync(2),
      () => undefined,
    );
    await refuseSome(
      () => wal.truncateAfterSync(wal.lastLsn - 1),
      () => undefined,
    );
    const last = wal.lastLsn;
    wal.closeSync();
    wal = Wal.openSync(directory);
    expect(wal.firstLsn).toBe(3);
    expect(wal.lastLsn).toBe(last);
    expect(readAll(wal)).toEqual(expected.slice(2, last));
    wal.closeSync();
  });
});
