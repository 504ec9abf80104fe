/** Under fake timers everything goes on: they replace what the package took before. */
import { join } from 'node:path';
import { setImmediate } from 'node:timers';

import { AtomicLog, SegmentTail, SegmentWriter, Wal, WalReader } from 'atomic-log';

import { runInChild } from '../../support/child';
import { addon, packageRoot } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';
import { entry } from '../../support/wals';

const { performance } = globalThis;
const realNow = performance.now.bind(performance);
const directory = temporaryDirectory();
/** Those that this runtime has. */
const mappings = addon.canMapExternal() ? ['external', 'shared'] : ['shared'];
const fakeTimers = join(packageRoot, 'node_modules/@sinonjs/fake-timers');

describe("under jest's fake timers", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('a log appends, syncs, is followed and closes', async () => {
    const wal = await Wal.open(directory.path('log'));
    const entries = wal.follow();
    expect(await wal.append(entry(1))).toBe(1);
    expect(await wal.sync()).toBe(1);
    const reader = WalReader.open(directory.path('log'));
    const beside = reader.follow({ from: 'latest' });
    const next = beside.next();
    expect((await entries.next()).value).toHaveLength(1);
    await wal.append(entry(2));
    expect((await entries.next()).value).toHaveLength(1);
    await next;
    reader.close();
    await wal.close();
  });

  test('a segment file is followed', async () => {
    const path = directory.path('events.seg');
    using writer = SegmentWriter.createSync(path, { size: 4096 });
    using tail = SegmentTail.open(path);
    const next = tail.follow().next();
    writer.append(Buffer.from('a'));
    writer.flush();
    expect((await next).value!.offset).toBe(0);
  });

  test('a follower that always finds entries gives the event loop its turn', async () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 10, segmentCapacity: 5 });
    const follower = log.follow();
    let hasTurned = false;
    setImmediate(() => (hasTurned = true));
    const begin = realNow();
    while (realNow() - begin < 100) {
      writer.append(1);
      expect((await follower.next()).value.length).toBeGreaterThan(0);
    }
    expect(hasTurned).toBe(true);
    await follower.return!();
    log.close();
  });
});

/** Appends and follows in a process of its own, after `before` and then `behind` the load of the package. */
function lives(before: string, behind: string): string {
  return runInChild(`
    const { setTimeout } = require('node:timers');
    setTimeout(() => { console.log('hangs'); process.exit(); }, 60_000);
    ${before}
    const { AtomicLog, Wal, WalReader, json } = require('atomic-log');
    ${behind}
    (async () => {
      const path = ${JSON.stringify(directory.path('child'))};
      const wal = await Wal.open(path);
      await wal.append(Buffer.from('a'));
      const reader = WalReader.open(path);
      const next = reader.follow({ from: wal.lastLsn + 1 }).next();
      await wal.append(Buffer.from('b'));
      await next;
      reader.close();
      await wal.close();
      for (const mapping of ${JSON.stringify(mappings)}) {
        const { writer, log } = AtomicLog.claimed({ retainedCapacity: 9, segmentCapacity: 3, codec: json(), dataBytes: 99, mapping });
        for (let i = 0; i < 9; ++i) writer.append({ i });
        const follower = log.follow({ from: 'oldest' });
        const { value } = await follower.next();
        if (value.length !== 9) throw new Error(mapping);
        log.close();
      }
      console.log('lives');
      process.exit();
    })();`);
}

test("sinon's fake timers, which replace those of node:timers too", () => {
  expect(lives('', `require(${JSON.stringify(fakeTimers)}).install();`)).toBe('lives');
});

test("an environment that lacks what jest's jsdom lacks", () => {
  const missing = ['TextEncoder', 'TextDecoder', 'setImmediate', 'clearImmediate', 'structuredClone'];
  const before = `
    require('node:util'); // Bun makes its own modules when they are first asked for, from these.
    for (const name of ${JSON.stringify(missing)}) delete globalThis[name];`;
  expect(lives(before, '')).toBe('lives');
});
