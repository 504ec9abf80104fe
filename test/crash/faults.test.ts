// System calls of the built binary that fail, by way of strace where it is there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

import { Wal } from 'atomic-log';

import { packageRoot } from '../support/internals';
import { runtime } from '../support/runtime';
import { temporaryDirectory } from '../support/segments';
import { lsnsOf, range } from '../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');

/** What the child prints: an object, as JSON. */
interface Told {
  settled: { lsn?: number; code?: string; cause?: string }[];
  later: string;
  durableLsn: number;
  ackedLsn: number;
}

const source = `
const { Wal } = require(${JSON.stringify(packageRoot)});
(async () => {
  const wal = await Wal.open(process.argv[1], { segmentBytes: 1 << 20 });
  const settled = [];
  const settle = async (promise) =>
    settled.push(await promise.then((lsn) => ({ lsn }), ({ code, cause }) => ({ code, cause: cause && cause.code })));
  for (let round = 0; round < 10; ++round) {
    await Promise.all([1, 2, 3].map(() => settle(wal.append(Buffer.alloc(200_000 * (round === 9) + 100, round)))));
  }
  const later = await wal.append(Buffer.from('later')).then(() => 'resolved', ({ code }) => code);
  const { durableLsn, ackedLsn } = wal;
  console.log(JSON.stringify({ settled, later, durableLsn, ackedLsn }));
  process.exit(0);
})();
`;

function run(inject: string): Told {
  const args = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${inject.split(':')[0]}`,
    '-e',
    `inject=${inject}`,
  ];
  const { stdout, stderr, status } = spawnSync(
    'strace',
    [...args, process.execPath, '--eval', source, path()],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${status}: ${stderr}`);
  return JSON.parse(stdout) as Told;
}

function canTrace(): boolean {
  if (!existsSync('/usr/bin/strace')) return false;
  return spawnSync('strace', ['-o', '/dev/null', '/bin/true']).status === 0;
}

// strace counts the calls of each thread by itself, and other runtimes do some of
// them on threads of their own.
const traced = runtime === 'node' && canTrace() ? describe : describe.skip;

traced('a system call that fails', () => {
  test.each([
    ['fdatasync:error=EIO:when=4', 'EIO'],
    ['fdatasync:error=ENOSPC:when=5', 'ENOSPC'],
    ['pwrite64:error=EIO:when=8', 'EIO'],
    ['pwrite64:error=ENOSPC:when=9', 'ENOSPC'],
    ['pwrite64:error=EROFS:when=7', 'EROFS'],
    ['fdatasync:error=EROFS:when=6', 'EROFS'],
  ])('%s: all waiters are rejected, and nothing is acknowledged any more', (inject, cause) => {
    const { settled, later, durableLsn, ackedLsn } = run(inject);
    expect(settled).toHaveLength(30);
    const acknowledged = settled.flatMap(({ lsn }) => lsn ?? []);
    const rejected = settled.filter(({ lsn }) => lsn === undefined);
    expect(rejected.length).toBeGreaterThan(0);
    expect(new Set(rejected.map(({ code }) => code))).toEqual(new Set(['ERR_POISONED']));
    expect(new Set(rejected.map((one) => one.cause))).toEqual(new Set([cause]));
    // Once it has failed it fails, although the system would succeed.
    expect(acknowledged).toEqual(range(1, acknowledged.length));
    expect(settled.slice(0, acknowledged.length).every(({ lsn }) => lsn !== undefined)).toBe(true);
    expect(later).toBe('ERR_POISONED');
    expect(durableLsn).toBe(acknowledged.length);
    expect(ackedLsn).toBe(acknowledged.length);
    const wal = Wal.openSync(path());
    expect(wal.lastLsn).toBeGreaterThanOrEqual(acknowledged.length);
    expect(lsnsOf(wal.entries())).toEqual(range(1, wal.lastLsn));
    wal.closeSync();
  });

  test('no space for the next file costs appends, and they have no LSN', () => {
    // Made before, so that only the committer makes files.
    Wal.openSync(path(), { segmentBytes: 1 << 18 }).closeSync();
    const { settled, later } = run('fallocate:error=ENOSPC:when=1');
    const refused = settled.filter(({ code }) => code !== undefined);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['ERR_NO_SPACE']));
    expect(refused.length).toBeLessThan(4);
    expect(settled.flatMap(({ lsn }) => lsn ?? [])).toEqual(range(1, 30 - refused.length));
    expect(later).toBe('resolved');
  });

  test('a file that gets no name poisons: its predecessor is sealed by then', () => {
    Wal.openSync(path(), { segmentBytes: 1 << 18 }).closeSync();
    const { settled, later, durableLsn } = run('?rename,?renameat,?renameat2:error=EACCES:when=1');
    const rejected = settled.filter(({ code }) => code !== undefined);
    expect(rejected.length).toBeGreaterThan(0);
    expect(new Set(rejected.map(({ code, cause }) => `${code} ${cause}`))).toEqual(
      new Set(['ERR_POISONED EACCES']),
    );
    expect(later).toBe('ERR_POISONED');
    expect(settled.flatMap(({ lsn }) => lsn ?? [])).toEqual(range(1, durableLsn));
    const wal = Wal.openSync(path());
    expect(wal.recovery.action).toBe('continued');
    expect(lsnsOf(wal.entries())).toEqual(range(1, wal.lastLsn));
    expect(wal.lastLsn).toBeGreaterThanOrEqual(durableLsn);
    wal.closeSync();
  });
});

const limited = `
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { Wal } = require(${JSON.stringify(packageRoot)});
const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + bytes + ':']);
(async () => {
  const wal = await Wal.open(process.argv[1]);
  const told = [];
  const settle = (promise) =>
    promise.then((lsn) => told.push(lsn), ({ code, message, cause }) => told.push({ code, message, cause: cause.code }));
  // Enough for everything but the stack of a thread.
  const kilobytes = Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1]);
  limit(kilobytes * 1024 + (4 << 20));
  await settle(wal.append(Buffer.from('refused')));
  await settle(wal.sync());
  told.push(wal.appendSync(Buffer.from('on this thread')));
  if (process.argv[2] === 'recovers') {
    limit('unlimited');
    await settle(wal.append(Buffer.from('by the committer')));
  }
  await wal.close();
  console.log(JSON.stringify({ told, entries: [...(await Wal.open(process.argv[1])).entries()].length }));
  process.exit(0);
})();
`;

// Other runtimes need more memory than what is left to them here.
const canLimit = runtime === 'node' && existsSync('/usr/bin/prlimit') ? test.each : test.skip.each;

canLimit([
  ['recovers', [2]],
  ['goes on', []],
])('a system that starts no thread: appends are refused, the log %s', (how, later) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--eval', limited, path(), how], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${status}: ${stderr}`);
  const refused = {
    code: 'ERR_THREAD_UNAVAILABLE',
    message: expect.stringMatching(/raise its limit.*appendSync/) as string,
    cause: 'EAGAIN',
  };
  expect(JSON.parse(stdout)).toEqual({
    told: [refused, refused, 1, ...later],
    entries: 1 + later.length,
  });
});

const journal = `
const { AtomicLog } = require(${JSON.stringify(packageRoot)});
(async () => {
  const wal = { path: process.argv[1], segmentBytes: 1 << 20 };
  const log = await AtomicLog.open({ wal, retainedCapacity: 20, segmentCapacity: 10 });
  const codeOf = async (call) => { try { return await call(); } catch ({ code }) { return code; } };
  let seen = 0;
  const followed = codeOf(async () => {
    for await (const batch of log.follow()) seen = batch.firstIndex + batch.length;
  });
  let failed;
  for (let i = 0; failed === undefined; ++i) failed = await codeOf(() => log.durable(log.append(i)));
  const { endIndex, durableIndex } = log;
  const refused = await codeOf(() => log.append(0));
  const later = [await followed, refused, await codeOf(() => log.sync())];
  const shown = [seen, log.endIndex, log.latest()];
  console.log(JSON.stringify({ failed, endIndex, durableIndex, later, shown, closed: await codeOf(() => log.close()) }));
})();
`;

traced('a journaled log whose disk fails', () => {
  test.each(['fdatasync:error=EIO:when=4', 'pwrite64:error=EIO:when=8'])(
    '%s: what was shown stays so, and nothing is shown that is refused',
    (inject) => {
      const args = [
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        `trace=${inject.split(':')[0]}`,
        '-e',
        `inject=${inject}`,
      ];
      const { stdout, stderr } = spawnSync('strace', [...args, process.execPath, '--eval', journal, path()], {
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      const told = JSON.parse(stdout) as { endIndex: number; durableIndex: number };
      const { endIndex, durableIndex } = told;
      expect(durableIndex).toBe(endIndex - 1);
      expect(told).toEqual({
        failed: 'ERR_POISONED',
        endIndex,
        durableIndex,
        later: ['ERR_POISONED', 'ERR_POISONED', 'ERR_POISONED'],
        shown: [endIndex, endIndex, endIndex - 1],
        closed: 'ERR_POISONED',
      });
    },
  );
});
