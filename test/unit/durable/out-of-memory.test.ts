// Every call of the logs on disk, with each of the allocations refused in turn
// that a user's sizes, a file or a directory decide: a typed error, the process
// lives, nothing has changed on disk, and the same call works afterwards.
import { createHash } from 'node:crypto';

import { describeWithFaults, refusing } from '../../support/faults';

import { SegmentReader, SegmentWriter } from 'atomic-log';

import { payload, temporaryDirectory } from '../../support/segments';

const { path } = temporaryDirectory();

/** More than the buffers of the writer have room for. */
const LARGE = 1 << 17;

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
  const SIZE = 1 << 20;
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
