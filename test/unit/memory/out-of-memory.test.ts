// Every call, with each of the allocations that it makes refused in turn: a typed
// error, nothing has changed and nothing leaks, and the same call works afterwards.
import { describeWithFaults, ownedBytes, refusing } from '../../support/faults';

import { AtomicLog, utf8, type Snapshot, type Writer } from 'atomic-log';

import { expectError } from '../../support/errors';
import { bounds, entriesOf, expectConsistent, range, SMALL, type Claimed } from '../../support/logs';
import { isShared, testExternal } from '../../support/mapping';
import { collectGarbage, collectUntil, nextTurn } from '../../support/memory';

/** Blocks of whole pages, which the count of bytes shows one by one. */
const LARGE = { retainedCapacity: 4096, segmentCapacity: 1024 } as const;

interface State extends Claimed<number> {
  /** Taken when the log had four entries; only where a test needs it. */
  snapshot?: Snapshot<number>;
}

/** A log whose entry at every index is that index; nothing of it is mapped for readers. */
function logOf(count: number): State {
  const claimed = AtomicLog.claimed(SMALL);
  for (let i = 0; i < count; ++i) claimed.writer.append(i);
  return claimed;
}

function withSnapshot(count: number): State {
  const state: State = logOf(4);
  state.snapshot = state.log.snapshot();
  for (let i = 4; i < count; ++i) state.writer.append(i);
  return state;
}

/** What must be the same before and after. Nothing of it needs memory. */
function seen({ writer, log, snapshot }: State): unknown {
  return {
    endIndex: log.endIndex,
    nextIndex: writer.nextIndex,
    isWriterClaimed: log.isWriterClaimed,
    pinnedHere: log.stats().pinnedHere,
    snapshot: snapshot && bounds(snapshot),
  };
}

type Call = [
  name: string,
  /** How many allocations it makes. */
  allocations: number,
  make: () => State,
  run: (state: State) => unknown,
  /** What it appends. */
  appended: number,
];

/** What is shared memory already is not mapped: an array over it is no allocation of the addon. */
const MAPPING = isShared ? 0 : 1;
/** A segment that is begun takes a block and its control block, and the writer maps it. */
const SEGMENT = 2 + MAPPING;
/** The first window that an environment pins: two lists of its segments, and what is known of each here. */
const FIRST_PIN = 3;
/** A segment that is not known here yet. */
const NEW_PIN = 1;
const follow = async ({ log }: State): Promise<void> => {
  const follower = log.follow({ from: 0 });
  try {
    expect((await follower.next()).value).toMatchObject({ firstIndex: 0, length: 10 });
  } finally {
    await follower.return!();
  }
};

const calls: Call[] = [
  ['attach()', 0, () => logOf(10), ({ log }) => AtomicLog.attach(log.handle).close(), 0],
  ['append() inside a segment', 0, () => logOf(3), ({ writer }) => writer.append(3), 1],
  ['append() that begins a segment', SEGMENT, () => logOf(4), ({ writer }) => writer.append(4), 1],
  ['write() that begins a segment', SEGMENT, () => logOf(4), ({ writer }) => writer.write(4), 0],
  [
    'appendBatch() that begins a segment first',
    SEGMENT,
    () => logOf(4),
    ({ writer }) => writer.appendBatch([4, 5]),
    2,
  ],
  ['reserve() inside a segment', MAPPING, () => logOf(3), reserve, 1],
  ['reserve() that begins a segment', SEGMENT + MAPPING, () => logOf(4), reserve, 1],
  // A reader maps the columns of a segment when it reads there; the writer of this thread has mapped the head's published word.
  ['snapshot()', FIRST_PIN, () => logOf(10), ({ log }) => log.snapshot().close(), 0],
  ['chunks()', FIRST_PIN + 3 * MAPPING, () => logOf(10), chunks, 0],
  ['latest()', FIRST_PIN + MAPPING, () => logOf(10), ({ log }) => expect(log.latest()).toBe(9), 0],
  // All of a batch is mapped before it is delivered.
  ['follow()', FIRST_PIN + 3 * MAPPING, () => logOf(10), follow, 0],
  [
    'refresh() into a segment that is new',
    NEW_PIN,
    () => withSnapshot(6),
    ({ snapshot }) => expect(snapshot!.refresh()).toEqual({ appended: 2, lost: 0 }),
    0,
  ],
  [
    'extend() into a segment that is new',
    NEW_PIN,
    () => withSnapshot(6),
    ({ snapshot }) => expect(snapshot!.extend()).toEqual({ appended: 2, lost: 0 }),
    0,
  ],
];

function chunks({ log }: State): void {
  const snapshot = log.snapshot();
  try {
    expect(snapshot.chunks().flatMap(({ values }) => [...values])).toEqual(range(0, 10));
  } finally {
    snapshot.close();
  }
}

/** Fills and commits a span of one. */
function reserve({ writer }: State): void {
  const index = writer.nextIndex;
  (writer.reserve(1).values as Float64Array)[0] = index;
  writer.commit(1);
}

describeWithFaults('memory that is refused', () => {
  // The ring, the log, the list of segments, and the first segment; with its writer the mapping too.
  test.each([
    ['new AtomicLog()', 5, () => ({ log: new AtomicLog(LARGE), writer: undefined })],
    ['AtomicLog.claimed()', 5 + MAPPING, () => AtomicLog.claimed(LARGE)],
  ] as [string, number, () => { log: AtomicLog<number>; writer?: Writer<number> }][])(
    '%s: each of its %i allocations',
    async (_name, allocations, make) => {
      await collectGarbage();
      const owned = ownedBytes();
      for (let refused = 0; refused <= allocations; ++refused) {
        let made: ReturnType<typeof make> | undefined;
        const error = await refusing(refused, () => (made = make()));
        expect(error !== undefined).toBe(refused < allocations);
        made ??= make();
        const writer = made.writer ?? made.log.tryClaimWriter()!;
        expect(writer.append(7)).toBe(0);
        expect(entriesOf(made.log)).toEqual([7]);
        writer.close();
        made.log.close();
      }
      await collectUntil('the memory of all these logs is free', () => ownedBytes() <= owned);
    },
  );

  test.each(calls)('%s: each of its %i allocations', async (_name, allocations, make, run, appended) => {
    for (let refused = 0; refused <= allocations; ++refused) {
      const state = make();
      const { writer, log } = state;
      const before = seen(state);
      const { nextIndex } = writer;
      const end = log.endIndex;
      const error = await refusing(refused, () => run(state));
      expect(error !== undefined).toBe(refused < allocations);
      if (error !== undefined) {
        await nextTurn();
        expect(seen(state)).toEqual(before);
        expectConsistent(log);
        // With what went before not forgotten.
        expect(entriesOf(log)).toEqual(range(log.firstIndex, end));
        expect(log.endIndex - log.firstIndex).toBeGreaterThanOrEqual(Math.min(end, SMALL.retainedCapacity));
        await run(state);
      }
      expect(log.endIndex).toBe(end + appended);
      for (let i = writer.nextIndex; i < nextIndex + 40; ++i) expect(writer.append(i)).toBe(i);
      expect(entriesOf(log)).toEqual(range(log.firstIndex, nextIndex + 40));
      state.snapshot?.close();
      await nextTurn();
      expect(log.stats()).toMatchObject({ pinnedHere: 0, pinnedSegments: 0 });
      writer.close();
      log.close();
    }
  });

  testExternal('a claim whose writer cannot be mapped is given back', async () => {
    const log = new AtomicLog(SMALL);
    expect(await refusing(0, () => log.tryClaimWriter())).toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(log.isWriterClaimed).toBe(false);
    expect(await refusing(0, () => log.waitForWriter())).toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(log.isWriterClaimed).toBe(false);
    expect(log.tryClaimWriter()!.append(1)).toBe(0);
  });

  testExternal('a follower goes on where it was', async () => {
    const { writer, log } = logOf(2);
    const follower = log.follow({ from: 0 });
    expect((await follower.next()).value).toMatchObject({ firstIndex: 0, length: 2 });
    for (let i = 2; i < 10; ++i) writer.append(i);
    expect(await refusing(0, () => follower.next())).toBeDefined();
    expect([...((await follower.next()).value as Iterable<number>)]).toEqual(range(2, 10));
    await follower.return!();
  });

  describe('to an append that needs a segment', () => {
    const advice = /the entries before index 4 are kept, and appending works again once there is memory/;

    test('the message says what is kept, and nothing has changed', async () => {
      const { writer, log } = logOf(4);
      const before = log.stats();
      const error = await refusing(0, () => writer.append(4));
      expectError(
        () => {
          throw error!;
        },
        'ERR_OUT_OF_MEMORY',
        advice,
      );
      expect(log.stats()).toEqual(before);
    });

    test('staged entries stay staged, in their places', async () => {
      const { writer, log } = logOf(2);
      writer.write(2);
      writer.write(3);
      expect((await refusing(0, () => writer.write(4)))?.message).toMatch(advice);
      expect(entriesOf(log)).toEqual([0, 1]);
      expect((await refusing(0, () => writer.appendBatch([4])))?.message).toMatch(advice);
      expect(entriesOf(log)).toEqual([0, 1]);
      expect(writer.write(4)).toBe(4);
      expect(entriesOf(log)).toEqual([0, 1, 2, 3]);
      writer.publish();
      expect(entriesOf(log)).toEqual([0, 1, 2, 3, 4]);
    });
  });

  // Two entries are there, another is staged; the batch fills the first segment and
  // needs two more.
  describe.each([
    ['an iterable', (values: number[]) => values],
    ['a typed array', (values: number[]) => Float64Array.from(values)],
  ])('to a batch of %s that crosses segments', (_form, batchOf) => {
    test.each(range(0, 2 * SEGMENT))('at allocation %i: what fitted is published', async (refused) => {
      const { writer, log } = logOf(2);
      writer.write(2);
      const error = await refusing(refused, () => writer.appendBatch(batchOf(range(3, 12))));
      const kept = refused < SEGMENT ? 4 : 8;
      expect(log.endIndex).toBe(kept);
      expect(writer.nextIndex).toBe(kept);
      expect(entriesOf(log)).toEqual(range(0, kept));
      if (error!.code === 'ERR_OUT_OF_MEMORY') expect(error!.message).toContain(`before index ${kept} `);
      // The rest is where the writer stands.
      expect(writer.appendBatch(batchOf(range(writer.nextIndex, 12)))).toBe(kept);
      expect(entriesOf(log)).toEqual(range(0, 12));
      expectConsistent(log);
    });
  });

  test('to a batch of records that crosses segments: what fitted is published', async () => {
    const schema = { a: 'f64', b: 'i64' } as const;
    for (const asColumns of [false, true]) {
      const { writer, log } = AtomicLog.claimed({ ...SMALL, schema });
      const rows = range(0, 7).map((i) => ({ a: i, b: BigInt(i) }));
      const columns = {
        a: Float64Array.from(rows, ({ a }) => a),
        b: BigInt64Array.from(rows, ({ b }) => b),
      };
      const error = await refusing(0, () => writer.appendBatch(asColumns ? columns : rows));
      expect(error).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
      expect([log.endIndex, writer.nextIndex]).toEqual([4, 4]);
      expect(entriesOf(log)).toEqual(rows.slice(0, 4));
    }
  });

  // The segment has no room for the value's bytes, and is sealed early.
  test.each([
    ['append()', (writer: Writer<string>) => writer.append('cccc'), 4],
    ['write()', (writer: Writer<string>) => writer.write('cccc'), 3],
    ['appendBatch()', (writer: Writer<string>) => writer.appendBatch(['cccc']), 4],
  ])('to %s of a value that needs a segment', async (_name, give, published) => {
    for (let refused = 0; refused < SEGMENT; ++refused) {
      const { writer, log } = AtomicLog.claimed({ ...SMALL, codec: utf8, dataBytes: 4 });
      for (const value of ['aaaa', 'bb']) writer.append(value);
      writer.write('b');
      const error = await refusing(refused, () => give(writer));
      expect(error).toBeDefined();
      // The last is the mapping of a segment that has begun: its predecessor is sealed and published.
      expect([log.endIndex, writer.nextIndex]).toEqual([refused < 2 ? 2 : 3, 3]);
      expect(entriesOf(log)).toEqual(['aaaa', 'bb', 'b'].slice(0, log.endIndex));
      expectConsistent(log);
      expect(give(writer)).toBe(3);
      expect(log.endIndex).toBe(published);
      writer.publish();
      expect(entriesOf(log)).toEqual(['aaaa', 'bb', 'b', 'cccc']);
    }
  });
});
