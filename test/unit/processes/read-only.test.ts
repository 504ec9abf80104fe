// Reading a log that processes share without being one of them: with readOnly, nothing is taken and nothing is
// changed, and what is read is a copy.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';

import { AtomicLog, defineSchema, json, type RecordOf } from 'atomic-log';

import { IoCode } from '../../../lib/base/codes';

import { runInChild } from '../../support/child';
import { expectError, rejection } from '../../support/errors';
import { packageRoot } from '../../support/internals';
import { changeBootId, changeHeader, describeProcesses, openingRefused } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const schema = defineSchema({ n: 'f64', id: 'i64', small: 'u8', text: 'utf8' });
const RECORDS = { ...SMALL, schema, dataBytes: 500 } as const;
const record = (i: number) => ({ n: i / 2, id: BigInt(i), small: i % 256, text: 'é'.repeat(i % 9) });
type Entry = RecordOf<typeof schema>;
const range = (first: number, end: number) =>
  Array.from({ length: end - first }, (_, i) => record(first + i));

/** Another process, which appends to the log until it is killed. */
async function endlessWriter() {
  const source = `
    const { AtomicLog } = require(${JSON.stringify(packageRoot)});
    const log = AtomicLog.openSync(${JSON.stringify(path())}, { create: false });
    const writer = log.tryClaimWriter();
    const record = ${record.toString()};
    console.log('on');
    for (let i = 0; ; ++i) writer.append(record(i));`;
  const child = spawn(process.execPath, ['--eval', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

describeProcesses('a log that is only read', () => {
  test('it reads as any other log, takes no slot and changes nothing', () => {
    const log = AtomicLog.openSync(path(), { ...RECORDS, readersMax: 1 });
    using writer = log.tryClaimWriter()!;
    for (let i = 0; i < 43; ++i) writer.append(record(i));
    // Wine does not change the rights of a file that is open.
    if (process.platform !== 'win32') chmodSync(path(), 0o400);
    const before = readFileSync(path());
    const reader = AtomicLog.openSync<Entry>(path(), { readOnly: true });
    expect([reader.firstIndex, reader.endIndex, reader.isWriterClaimed, reader.ended]).toEqual([
      20,
      43,
      true,
      false,
    ]);
    using snapshot = reader.snapshot();
    expect([...snapshot]).toEqual(range(20, 43));
    expect(snapshot.chunks().flatMap((chunk) => [...chunk.column('id')])).toEqual(
      range(20, 43).map(({ id }) => id),
    );
    expect(reader.latest()).toEqual(record(42));
    expectError(() => reader.tryClaimWriter(), 'ERR_READ_ONLY', /create: false/);
    expect(readFileSync(path()).equals(before)).toBe(true);

    // The head grows, and goes on in the next segment.
    for (let end = 44; end < 60; ++end) {
      writer.append(record(end - 1));
      expect(reader.endIndex).toBe(end);
      expect(reader.latest()).toEqual(record(end - 1));
      expect(snapshot.extend()).toEqual({ appended: 1, lost: 0 });
      expect(snapshot.extend()).toEqual({ appended: 0, lost: 0 });
      expect([...snapshot]).toEqual(range(20, end));
    }
    // What was given stays, however far the writer goes.
    const kept = snapshot.chunks().map((chunk) => chunk.column('n'));
    for (let i = 59; i < 500; ++i) writer.append(record(i));
    expect([...snapshot]).toEqual(range(20, 59));
    expect(kept.flatMap((numbers) => [...numbers])).toEqual(range(20, 59).map(({ n }) => n));
    expect(log.stats()).toMatchObject({ pinnedSegments: 0 });
    const { lost } = snapshot.refresh();
    expect(lost).toBe(snapshot.firstIndex - 59);
    expect([...snapshot]).toEqual(range(snapshot.firstIndex, 500));
    reader.close();
    log.close();
  });

  test('a segment that left before it was copied is lost, not mixed up', () => {
    const log = AtomicLog.openSync(path(), RECORDS);
    using writer = log.tryClaimWriter()!;
    const reader = AtomicLog.openSync<Entry>(path(), { readOnly: true });
    let next = 0;
    for (let round = 1; round < 150; ++round) {
      using held = reader.snapshot();
      using other = reader.snapshot();
      const had = held.length === 0 ? next : held.firstIndex;
      for (let i = 0; i < round % 60; ++i) writer.append(record(next++));
      const change = held[round % 2 === 0 ? 'refresh' : 'extend']();
      expect(held.endIndex).toBe(next);
      expect([...held]).toEqual(range(held.firstIndex, next));
      // All of the window, whatever is missing before it.
      if (held.firstIndex > 0) expect(held.length).toBeGreaterThanOrEqual(SMALL.retainedCapacity);
      if (round % 2 === 1 && change.lost === 0) expect(held.firstIndex).toBe(had);
      expect([...other]).toEqual(range(other.firstIndex, other.endIndex));
    }
    reader.close();
    log.close();
  });

  test('follow() and waitSync() deliver, in a worker that has the handle too', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const writer = log.tryClaimWriter()!;
    writer.append(7);
    const reader = await AtomicLog.open<number>(path(), { readOnly: true });
    const worker = new Worker(
      `const { AtomicLog } = require(${JSON.stringify(packageRoot)});
       const { parentPort, workerData } = require('node:worker_threads');
       const log = AtomicLog.attach(workerData);
       parentPort.postMessage([log.latest(), log.waitSync(1), log.waitSync(100)]);`,
      { eval: true, workerData: reader.handle },
    );
    const message = new Promise((resolve) => worker.once('message', resolve));
    const got: number[] = [];
    setTimeout(() => writer.append(8), 30);
    setTimeout(() => writer.end(), 60);
    for await (const batch of reader.follow()) got.push(...batch);
    expect(got).toEqual([7, 8]);
    expect(await message).toEqual([expect.any(Number), 'ready', 'ended']);
    await worker.terminate();
    await expect(reader.waitForWriter()).rejects.toMatchObject({ code: 'ERR_LOG_ENDED' });
    reader.close();
    log.close();
  });

  test('it reads what is left after all processes were killed, and after the system was started again', () => {
    const child = `
      const { AtomicLog, json } = require(${JSON.stringify(packageRoot)});
      const log = AtomicLog.openSync(${JSON.stringify(path())}, { ...${JSON.stringify(SMALL)}, codec: json() });
      const writer = log.tryClaimWriter();
      for (let i = 0; i < 33; ++i) writer.append({ i });
      process.kill(process.pid, 'SIGKILL');`;
    expect(() => runInChild(child)).toThrow(/SIGKILL|Command failed/);
    const read = () => {
      using log = AtomicLog.openSync<{ i: number }>(path(), { readOnly: true, codec: json() });
      using snapshot = log.snapshot();
      expect(log.isWriterClaimed).toBe(false);
      return [...snapshot].map(({ i }) => i);
    };
    const all = Array.from({ length: 23 }, (_, i) => i + 10);
    expect(read()).toEqual(all);
    changeHeader(path(), changeBootId);
    expectError(() => AtomicLog.openSync(path(), { create: false }), 'ERR_FORMAT', /readOnly: true/);
    expect(read()).toEqual(all);
  });

  test('never wrong while a writer in another process goes round', async () => {
    const log = AtomicLog.openSync(path(), RECORDS);
    const child = await endlessWriter();
    const reader = AtomicLog.openSync<Entry>(path(), { readOnly: true });
    const snapshot = reader.snapshot();
    for (let round = 0; round < 400; ++round) {
      if (round % 3 === 0) snapshot.refresh();
      else snapshot.extend();
      let index = snapshot.firstIndex;
      for (const { n, id, small, text } of snapshot) {
        const right = record(index++);
        if (n !== right.n || id !== right.id || small !== right.small || text !== right.text) {
          throw new Error(`entry ${index - 1} is wrong`);
        }
      }
      if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    child.kill('SIGKILL');
    for (const user of [snapshot, reader, log]) user.close();
  });

  test('a copy of the file that is made meanwhile is right or refused', async () => {
    AtomicLog.openSync(path(), { ...RECORDS, retainedCapacity: 2000, segmentCapacity: 50 }).close();
    const child = await endlessWriter();
    for (let round = 0; round < 12; ++round) {
      // Windows does not shorten one that is still mapped.
      const copy = directory.path(`copy${round}`);
      // From its beginning to its end, as cp does.
      const from = openSync(path(), 'r');
      const chunks: Buffer[] = [];
      for (let read = 1; read > 0;) {
        const chunk = Buffer.alloc(4096);
        read = readSync(from, chunk);
        chunks.push(chunk.subarray(0, read));
      }
      closeSync(from);
      writeFileSync(copy, Buffer.concat(chunks), { mode: 0o600 });
      for (const options of [{ readOnly: true }, { create: false }] as const) {
        const log = AtomicLog.openSync<Entry>(copy, options);
        try {
          using snapshot = log.snapshot();
          expect([...snapshot]).toEqual(range(snapshot.firstIndex, snapshot.endIndex));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_LOG_DAMAGED' });
        }
        log.close();
      }
    }
    child.kill('SIGKILL');
  });

  test('options that do not go together, and a missing file, are refused', async () => {
    expectError(() => AtomicLog.openSync(path(), { readOnly: true }), 'ERR_FILE_NOT_FOUND', /no such log/);
    const wrong: object[] = [{ readOnly: 1 }, { readOnly: true, create: true }, { readOnly: true, ...SMALL }];
    for (const options of wrong) {
      expect((await rejection(AtomicLog.open(path(), options as { readOnly: true }))).code).toMatch(
        /^ERR_INVALID_ARG_(TYPE|VALUE)$/,
      );
    }
    writeFileSync(path(), 'notes');
    expectError(() => AtomicLog.openSync(path(), { readOnly: true }), 'ERR_FORMAT', /not the file of a log/);
  });

  test('what is no file, and what the system does not let it use, is told so', async () => {
    expect(
      openingRefused('/mnt/log', IoCode.denied, constants.errno.EROFS, { what: 'join', bytes: 0 }),
    ).toMatchObject({
      code: 'ERR_FILE_ACCESS',
      message: expect.stringMatching(/mounted for reading only; .* readOnly: true/) as string,
    });
    if (process.platform === 'win32') return;
    const pipe = directory.path('pipe');
    execFileSync('mkfifo', [pipe]);
    const socket = directory.path('socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    const ways: object[] = [SMALL, { create: false }, { readOnly: true }];
    for (const where of [directory.root(), pipe, socket, '/dev/null']) {
      for (const options of ways) {
        const open = () => AtomicLog.openSync(where, options as typeof SMALL);
        expectError(open, 'ERR_FILE_ACCESS', /not a regular file; give the path of one/);
      }
      expectError(() => AtomicLog.unlinkSync(where), 'ERR_FILE_ACCESS', /not a regular file/);
    }
    server.close();
  });

  test("another user's file is opened only where that is asked for", () => {
    // Only root can give a file away, or be another one for a while.
    if (process.getuid?.() !== 0) return;
    const log = AtomicLog.openSync(path(), { ...SMALL, mode: 0o640 });
    log.tryClaimWriter()!.append(1);
    const source = (options: string) => `
      process.setegid(65534);
      process.seteuid(65534);
      const { AtomicLog } = require(${JSON.stringify(packageRoot)});
      try {
        const log = AtomicLog.openSync(${JSON.stringify(path())}, ${options});
        console.log(log.latest());
      } catch ({ code, message }) { console.log(code, message) }`;
    chmodSync(directory.root(), 0o755);
    expect(runInChild(source('{ readOnly: true }'))).toMatch(/^ERR_FILE_ACCESS .*option mode.*0o600/);
    chmodSync(path(), 0o644);
    expect(runInChild(source('{ readOnly: true }'))).toMatch(/^ERR_FILE_ACCESS .*allowOtherOwner/);
    expect(runInChild(source('{ readOnly: true, allowOtherOwner: true }'))).toBe('1');
    expect(runInChild(source('{ create: false, allowOtherOwner: true }'))).toMatch(
      /^ERR_FILE_ACCESS .*permission to read alone, .* readOnly: true/,
    );
    chmodSync(path(), 0o666);
    chmodSync(directory.root(), 0o777);
    expect(
      runInChild(
        source('{ readOnly: true, allowOtherOwner: true }').replace(
          'console.log(log.latest())',
          `AtomicLog.unlinkSync(${JSON.stringify(path())})`,
        ),
      ),
    ).toMatch(/^ERR_FILE_ACCESS .*its owner unlinks it/);
    log.close();
  });
});
