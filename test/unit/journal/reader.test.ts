// A journaled log in other threads: from the disk, then in memory.
import { Worker } from 'node:worker_threads';

import { AtomicLog, JournaledReader, Wal, WalReader, type JournaledLog } from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { packageRoot } from '../../support/internals';
import { testWith } from '../../support/runtime';
import { temporaryDirectory } from '../../support/segments';
import { sized } from '../../support/sizes';

const directory = temporaryDirectory();
const KILLS = sized('JOURNAL_READERS', { small: 4, long: 60 });
const SMALL = { retainedCapacity: 40, segmentCapacity: 10 } as const;
const schema = { n: 'u32', name: 'utf8' } as const;
const entryOf = (index: number) => ({ n: index, name: `entry ${index} `.repeat(index % 4) });
const place = () => ({ path: directory.path('log'), segmentBytes: 65536 });
const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Follows from an index on, checks every entry, and tells how far it is; with the first entry that is wrong. */
const FOLLOWER = `
const { parentPort, workerData } = require('node:worker_threads');
const { AtomicLog } = require(workerData.root);
const { handle, path, from, batchEntriesMax, isSlow } = workerData;
(async () => {
  const log = AtomicLog.attach(handle, { wal: path });
  let next = from;
  try {
    for await (const batch of log.follow({ from, batchEntriesMax })) {
      if (batch.firstIndex !== next || batch.lost !== 0) throw new Error(next + ': ' + batch.firstIndex + ' ' + batch.lost);
      for (const { n, name } of batch) {
        if (n !== next || name !== ('entry ' + n + ' ').repeat(n % 4)) throw new Error(next + ' is ' + n);
        ++next;
      }
      parentPort.postMessage({ next });
      if (isSlow && next % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    parentPort.postMessage({ next, end: true });
  } catch (error) {
    parentPort.postMessage({ next, error: String(error.code ?? error.message) });
  }
  log.close();
})();`;

interface Told {
  next: number;
  end?: boolean;
  error?: string;
}

class Follower {
  readonly worker: Worker;
  last: Told = { next: -1 };
  readonly done: Promise<Told>;

  constructor(
    log: JournaledLog<never>,
    options: { from: number; batchEntriesMax?: number; isSlow?: boolean },
  ) {
    const workerData = { root: packageRoot, handle: log.handle, path: log.path, ...options };
    this.worker = new Worker(FOLLOWER, { eval: true, workerData });
    this.worker.on('message', (told: Told) => (this.last = told));
    this.done = new Promise((resolve, reject) =>
      this.worker.once('exit', () => resolve(this.last)).once('error', reject),
    );
  }

  async reaches(index: number): Promise<void> {
    while (this.last.next < index && this.last.error === undefined) await turn();
  }
}

const open = async (wal: object = place()): Promise<JournaledLog<never>> =>
  (await AtomicLog.open({
    wal,
    schema,
    dataBytes: 4096,
    ...SMALL,
  } as never)) as unknown as JournaledLog<never>;

test.each([
  ['full', {}],
  ['none', { batchEntriesMax: 7 }],
  ['os', { isSlow: true }],
])(
  'durability %s: a follower in a worker has every entry once, from the disk and from memory',
  async (durability, options) => {
    const log = await open({ ...place(), durability });
    const append = () => log.append(entryOf(log.nextIndex) as never);
    for (let i = 0; i < 3000; ++i) append();
    const followers = [0, 17, 2990].map((from) => new Follower(log, { from, ...options }));
    for (let i = 0; i < 300; ++i) {
      for (let k = 0; k < 20; ++k) append();
      log.appendBatch(Array.from({ length: 30 }, (_, k) => entryOf(log.nextIndex + k)) as never);
      if (i % 10 === 0) await turn();
    }
    const { endIndex } = log;
    await Promise.all(followers.map((follower) => follower.reaches(endIndex)));
    await log.close();
    for (const follower of followers) expect(await follower.done).toEqual({ next: endIndex, end: true });
  },
);

test('the owner has gone on and closed: what is left comes from the disk', async () => {
  const log = await open();
  for (let i = 0; i < 2000; ++i) log.append(entryOf(i) as never);
  await log.sync();
  const follower = new Follower(log, { from: 0, batchEntriesMax: 50, isSlow: true });
  await follower.reaches(50);
  await log.close();
  expect(await follower.done).toEqual({ next: 2000, end: true });
});

test(`${KILLS} workers that are killed while they follow, and no one else notices`, async () => {
  const log = await open();
  const append = () => log.append(entryOf(log.nextIndex) as never);
  for (let i = 0; i < 2000; ++i) append();
  const stays = new Follower(log, { from: 0, isSlow: true });
  // The log must be open until it has attached.
  await stays.reaches(1);
  for (let kill = 0; kill < KILLS; ++kill) {
    const killed = new Follower(log, { from: (kill * 397) % 2000, batchEntriesMax: 1 + ((kill * 13) % 50) });
    const until = Date.now() + ((kill * 53) % 120);
    while (Date.now() < until) {
      for (let i = 0; i < 50; ++i) append();
      await turn();
    }
    await killed.worker.terminate();
    expect(killed.last.error).toBeUndefined();
  }
  const { endIndex } = log;
  await log.close();
  expect(await stays.done).toEqual({ next: endIndex, end: true });
});

describe('attach', () => {
  test('says where the log is, and has what any log has', async () => {
    await using log = await open();
    for (let i = 0; i < 200; ++i) log.append(entryOf(i) as never);
    await log.sync();
    const reader = AtomicLog.attach(log.handle, { wal: log.path, schema, name: 'x' });
    expect(reader).toBeInstanceOf(JournaledReader);
    expect([reader.path, reader.base, reader.oldestIndex]).toEqual([log.path, 1, 0]);
    expect([reader.firstIndex, reader.endIndex]).toEqual([log.firstIndex, 200]);
    expect(reader.latest()).toEqual(entryOf(199));
    for await (const batch of reader.follow()) {
      expect([batch.firstIndex, batch.lost]).toEqual([0, 0]);
      break;
    }
    reader.close();
    reader.close();
    expectError(() => reader.follow(), 'ERR_LOG_CLOSED', /closed/);
    // Without it, a follower has the window.
    for (const options of [undefined, {}, { wal: undefined }]) {
      const plain = AtomicLog.attach(log.handle, options as object);
      expect(plain).not.toBeInstanceOf(JournaledReader);
      plain.close();
    }
  });

  test('finds the oldest entry, and follows from there, while a checkpoint drops what was the oldest', async () => {
    await using log = await open({ ...place(), segmentBytes: 8192 });
    const refresh = jest.spyOn(WalReader.prototype, 'refresh');
    const reader = AtomicLog.attach(log.handle, { wal: log.path });
    const files = refresh.mock.contexts[0] as WalReader;
    const drop = async (): Promise<void> => {
      for (let i = 0; i < 300; ++i) log.append(entryOf(log.nextIndex) as never);
      await log.checkpoint(log.firstIndex);
    };
    // What it saw when it looked last was dropped before it was read.
    const dropWhatIsSeen = async (): Promise<void> => {
      await drop();
      files.refresh();
      await drop();
      refresh.mockImplementationOnce(() => undefined);
    };
    await dropWhatIsSeen();
    expect(reader.oldestIndex).toBe(log.oldestIndex);
    await dropWhatIsSeen();
    for await (const batch of reader.follow()) {
      expect([batch.firstIndex, batch.lost]).toEqual([log.oldestIndex, 0]);
      break;
    }
    refresh.mockRestore();
    reader.close();
  });

  test('refuses what is not the log of the handle', async () => {
    await using log = await open();
    const { handle } = log;
    const other = directory.path('other');
    await (await Wal.open(other)).close();
    expectError(
      () => AtomicLog.attach(handle, { wal: other }),
      'ERR_INVALID_ARG_VALUE',
      /must be the directory of the log/,
    );
    expectError(() => AtomicLog.attach(handle, { wal: 7 as never }), 'ERR_INVALID_ARG_TYPE', /options\.wal/);
    expectError(
      () => AtomicLog.attach(handle, { wal: directory.path('none') }),
      'ERR_FILE_NOT_FOUND',
      /directory/,
    );
    expectError(() => AtomicLog.attach({} as never, { wal: log.path }), 'ERR_INVALID_HANDLE', /handle/);
    expectError(
      () => AtomicLog.attach(handle, { wal: log.path, schema: { n: 'u8' } }),
      'ERR_SCHEMA_MISMATCH',
      /column 0/,
    );
    const { log: memory, writer } = AtomicLog.claimed({ ...SMALL });
    expectError(
      () => AtomicLog.attach(memory.handle as never, { wal: log.path }),
      'ERR_INVALID_ARG_VALUE',
      /no write-ahead log/,
    );
    writer.close();
    memory.close();
    // @ts-expect-error -- it is made by attach()
    expectError(() => new JournaledReader(), 'ERR_ILLEGAL_CONSTRUCTOR', /attach/);
  });

  testWith('terminating a busy worker')(
    'what never became durable, when no one will write it any more',
    async () => {
      const worker = new Worker(
        `const { parentPort, workerData } = require('node:worker_threads');
      const { AtomicLog } = require(workerData.root);
      const log = globalThis.log = AtomicLog.openSync(workerData.options);
      for (let i = 0; i < 500; ++i) log.append(i);
      parentPort.postMessage(log.handle);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`,
        {
          eval: true,
          workerData: { root: packageRoot, options: { wal: { ...place(), durability: 'none' }, ...SMALL } },
        },
      );
      const handle = await new Promise((resolve) => worker.once('message', resolve));
      const reader = AtomicLog.attach(handle as never, { wal: directory.path('log') });
      await worker.terminate();
      const error = await rejection(
        (async () => {
          for await (const batch of reader.follow({ from: 0 })) expect(batch.length).toBeGreaterThan(0);
        })(),
      );
      expect(error.code).toBe('ERR_NOT_DURABLE');
      // What is in memory is there.
      expect(reader.latest()).toBe(499);
      reader.close();
    },
  );
});
