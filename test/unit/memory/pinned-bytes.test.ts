// pinnedBytesMax: what may happen is an error that says so; what may not is that
// memory grows beyond the window, one segment, and the limit.
import { AtomicLog, type Writer } from 'atomic-log';

import { expectConsistent, expectRefused, SMALL, type Claimed } from '../../support/logs';
import { expectError } from '../../support/errors';
import { nextTurn } from '../../support/memory';

const SEGMENT_BYTES = 128;

function limited(segments: number): Claimed<number> {
  return AtomicLog.claimed({ ...SMALL, pinnedBytesMax: segments * SEGMENT_BYTES });
}

/** Appends until it is refused; returns how many were taken. */
function appendUntilRefused(writer: Writer<number>): number {
  for (let taken = 0; taken < 1000; ++taken) {
    try {
      writer.append(writer.nextIndex);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_PINNED_BYTES' });
      return taken;
    }
  }
  throw new Error('nothing was refused');
}

test.each([0, 1, 2])('%d segments beyond the window may be pinned', async (allowed) => {
  const { writer, log } = limited(allowed);
  for (let i = 0; i < 12; ++i) writer.append(i);
  const snapshot = log.snapshot();
  await nextTurn();
  // A segment of the three leaves the window with each one that begins.
  expect(appendUntilRefused(writer)).toBe(4 * (allowed + 1));
  expect(log.stats()).toMatchObject({
    pinnedSegments: allowed + 1,
    pinnedBytes: (allowed + 1) * SEGMENT_BYTES,
    segments: 3 + allowed + 1,
    bytes: (3 + allowed + 1) * SEGMENT_BYTES,
  });
  expect([...snapshot]).toEqual(Array.from({ length: 12 }, (_, i) => i));

  snapshot.close();
  for (let i = 0; i < 1000; ++i) writer.append(writer.nextIndex);
  expect(log.stats()).toMatchObject({ pinnedBytes: 0, segments: 3 + allowed + 1 });
  expectConsistent(log);
});

test('what is refused changes nothing, by whatever call', async () => {
  const claimed = limited(0);
  const { writer, log } = claimed;
  for (let i = 0; i < 12; ++i) writer.append(i);
  const snapshot = log.snapshot();
  await nextTurn();
  appendUntilRefused(writer);
  const advice = /readers pin more than the pinnedBytesMax.*close or refresh.*works again/s;
  // A window of this thread's own, which is looked at and closed, is not what is in the way.
  expectRefused(claimed, () => writer.append(16), 'ERR_PINNED_BYTES', advice);
  expectRefused(claimed, () => writer.write(16), 'ERR_PINNED_BYTES', advice);
  expectRefused(claimed, () => writer.appendBatch([16, 17]), 'ERR_PINNED_BYTES', advice);
  expectRefused(claimed, () => writer.appendBatch(Float64Array.of(16)), 'ERR_PINNED_BYTES', advice);
  expectRefused(claimed, () => writer.reserve(1), 'ERR_PINNED_BYTES', advice);
  // What needs no room goes on.
  writer.publish();
  writer.appendBatch([]);
  snapshot.refresh();
  writer.append(16);
  expect(log.endIndex).toBe(17);
});

test('a snapshot that is refreshed in time never stops the writer', () => {
  const { writer, log } = limited(0);
  const snapshot = log.snapshot();
  for (let i = 0; i < 1000; ++i) {
    writer.append(i);
    snapshot.refresh();
  }
  expect(snapshot.at(-1)).toBe(999);
  expect(log.stats().segments).toBe(4);
});

test('what this thread keeps of closed snapshots until its turn ends is in nobody’s way', () => {
  const { writer, log } = limited(0);
  for (let i = 0; i < 1000; ++i) {
    writer.append(i);
    const snapshot = log.snapshot();
    expect(snapshot.at(-1)).toBe(i);
    snapshot.close();
  }
});

test('without a limit readers may pin what they like', () => {
  for (const pinnedBytesMax of [undefined, Infinity, Number.MAX_VALUE]) {
    const options = pinnedBytesMax === undefined ? SMALL : { ...SMALL, pinnedBytesMax };
    const { writer, log } = AtomicLog.claimed(options);
    const snapshots = Array.from({ length: 100 }, () => {
      for (let i = 0; i < 4; ++i) writer.append(i);
      return log.snapshot();
    });
    expect(log.stats().pinnedSegments).toBeGreaterThan(90);
    for (const snapshot of snapshots) snapshot.close();
  }
});

test('must be a number of at least 0', () => {
  const make = (pinnedBytesMax: unknown) => () =>
    new AtomicLog({ ...SMALL, pinnedBytesMax: pinnedBytesMax as number });
  for (const value of [null, '1', 1n, {}, true])
    expectError(make(value), 'ERR_INVALID_ARG_TYPE', /options.pinnedBytesMax must be a number of bytes/);
  for (const value of [-1, -Infinity, NaN])
    expectError(
      make(value),
      'ERR_OUT_OF_RANGE',
      /options.pinnedBytesMax must be a number of bytes, 0 or more/,
    );
  make(0)();
  make(0.5)();
});
