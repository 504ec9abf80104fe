import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { AtomicLog, defineSchema, json, utf8, type ErrorCode } from 'atomic-log';

import { IoCode } from '../../../lib/base/codes';

import { runInChild } from '../../support/child';
import { expectError, rejection } from '../../support/errors';
import { packageRoot } from '../../support/internals';
import { describeProcesses, namesIn, openingRefused, processesRefused } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
/** As src-native/core/shared_memory/shared_format.h has it. */
const LAYOUT_VERSION_AT = 12;
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const isWindows = process.platform === 'win32';
const names = () => namesIn(directory.root());
const schema = defineSchema({ time: 'f64', id: 'i64', text: 'utf8' });

/** Runs in another process, with `log` open; what it prints, as JSON. */
const inOther = (source: string, options = '{ create: false }'): unknown =>
  JSON.parse(
    runInChild(
      `const { AtomicLog } = require(${JSON.stringify(packageRoot)});` +
        `const log = AtomicLog.openSync(${JSON.stringify(path())}, ${options});` +
        `const print = (value) => console.log(JSON.stringify(value));${source};log.close();`,
    ),
  );

if (processesRefused !== undefined) {
  const [code, message] = processesRefused;
  test('where the system has no such logs, opening one is refused', async () => {
    expectError(() => AtomicLog.openSync(path(), SMALL), code, message);
    expect((await rejection(AtomicLog.open(path(), SMALL))).code).toBe(code);
  });
}

describeProcesses('a log that processes share', () => {
  test('another process reads and appends the same numbers', async () => {
    const log = await AtomicLog.open(path(), SMALL);
    const writer = log.tryClaimWriter()!;
    for (let i = 0; i < 42; ++i) writer.append(i / 2);
    expect(
      inOther(`
        const snapshot = log.snapshot();
        print([log.firstIndex, log.endIndex, [...snapshot], log.isWriterClaimed, log.tryClaimWriter()]);
        snapshot.close()`),
    ).toEqual([20, 42, Array.from({ length: 22 }, (_, i) => (20 + i) / 2), true, null]);
    writer.close();
    expect(
      inOther(`
        const writer = log.tryClaimWriter();
        const first = writer.appendBatch(Float64Array.from([7, 8, 9]));
        print([first, writer.nextIndex, log.isWriterClaimed]);
        writer.close()`),
    ).toEqual([42, 45, true]);
    expect([...log.snapshot()].slice(-3)).toEqual([7, 8, 9]);
    expect(log.isWriterClaimed).toBe(false);
    log.close();
  });

  test('another process reads and appends records with values of variable size', () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, schema, dataBytes: 500 });
    const writer = log.tryClaimWriter()!;
    const record = (i: number) => ({ time: i, id: BigInt(i) * 3n, text: `entry ${i}` });
    for (let i = 0; i < 33; ++i) writer.append(record(i));
    const snapshot = log.snapshot();
    expect(snapshot.at(-1)).toEqual(record(32));
    const times = snapshot.chunks().flatMap((chunk) => [...chunk.column('time')]);
    expect(times).toEqual([...snapshot].map(({ time }) => time));
    expect(inOther(`print(log.latest().text)`)).toBe('entry 32');
    writer.append(record(33));
    expect(snapshot.refresh()).toEqual({ appended: 1, lost: 0 });
    for (const log2 of [log, snapshot, writer]) log2.close();
  });

  test('another process reads what a codec has encoded', async () => {
    const log = await AtomicLog.open(path(), { ...SMALL, codec: json<{ a: number[] }>() });
    const writer = log.tryClaimWriter()!;
    writer.append({ a: [1, 2] });
    expect(inOther('print(log.latest())')).toEqual({ a: [1, 2] });
    writer.close();
    log.close();
  });

  test('a worker attaches by the handle, and has a view of its own', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const again = await AtomicLog.open(path(), SMALL);
    const writer = again.tryClaimWriter()!;
    writer.append(5);
    expect(log.latest()).toBe(5);
    const worker = new Worker(
      `const { AtomicLog } = require(${JSON.stringify(packageRoot)});
       const { parentPort, workerData } = require('node:worker_threads');
       const log = AtomicLog.attach(workerData);
       parentPort.postMessage([log.snapshot().at(0), log.waitSync(1)]);`,
      { eval: true, workerData: log.handle },
    );
    setTimeout(() => writer.append(6), 50);
    const message = await new Promise((resolve) => worker.once('message', resolve));
    expect(message).toEqual([5, 'ready']);
    await worker.terminate();
    for (const user of [writer, again, log]) user.close();
  });

  test('what is there is joined only with the same options', async () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, schema });
    const refused: [object, ErrorCode, RegExp][] = [
      [
        { ...SMALL, schema, retainedCapacity: 21 },
        'ERR_FORMAT',
        /retainedCapacity of the log .* is 20, .* 21/,
      ],
      [{ ...SMALL, schema, segmentCapacity: 10 }, 'ERR_FORMAT', /segmentCapacity/],
      [{ ...SMALL, schema, readersMax: 3 }, 'ERR_FORMAT', /readersMax .* is 64/],
      [{ ...SMALL, schema, extraSegments: 77 }, 'ERR_FORMAT', /extraSegments/],
      [{ ...SMALL, schema, dataBytes: 9 }, 'ERR_FORMAT', /dataBytes/],
      [
        SMALL,
        'ERR_FORMAT',
        /has records of time: f64, id: i64, text: utf8, and options say numbers of f64; .*schema/,
      ],
      [{ ...SMALL, schema: { time: 'f64', id: 'i64', other: 'utf8' } }, 'ERR_SCHEMA_MISMATCH', /column 2/],
      [{ ...SMALL, codec: utf8 }, 'ERR_CODEC_MISMATCH', /no codec/],
      [{ ...SMALL, schema, create: 'exclusive' }, 'ERR_FILE_EXISTS', /exclusive/],
    ];
    for (const [options, code, message] of refused) {
      expectError(() => AtomicLog.openSync(path(), options as typeof SMALL), code, message);
      expect(await rejection(AtomicLog.open(path(), options as typeof SMALL))).toMatchObject({ code });
    }
    expect(AtomicLog.openSync(path(), { ...SMALL, schema }).endIndex).toBe(0);
    log.close();
  });

  test('a schema says what a log that is joined, or only read, must have', async () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, schema });
    using writer = log.tryClaimWriter()!;
    writer.append({ time: 1, id: 2n, text: 'three' });
    const joins = [
      { create: false },
      { create: false, readOnly: false },
      { readOnly: true },
      { readOnly: true, create: false },
    ] as const;
    for (const how of joins) {
      const joined = await AtomicLog.open(path(), { ...how, schema });
      const text: string | undefined = joined.latest()?.text;
      expect(text).toBe('three');
      joined.close();
      const other = { ...how, schema: { time: 'f64', id: 'u64', text: 'utf8' } } as const;
      expectError(
        () => AtomicLog.openSync(path(), other),
        'ERR_SCHEMA_MISMATCH',
        /column 1 is "id: i64" there and "id: u64" here; open it with the schema/,
      );
      const both = { ...how, schema, codec: utf8 } as never;
      expectError(() => AtomicLog.openSync(path(), both), 'ERR_INVALID_ARG_VALUE', /exclude each other/);
    }
    log.close();
    AtomicLog.unlinkSync(path());
    const numbers = AtomicLog.openSync(path(), { ...SMALL, readOnly: false });
    expectError(
      () => AtomicLog.openSync(path(), { create: false, schema }),
      'ERR_SCHEMA_MISMATCH',
      /log holds values of type f64.*; leave the schema out/,
    );
    numbers.close();
  });

  test('options that do not go together, and paths that lead to nothing, are refused with what to do', () => {
    const other = join(directory.root(), 'missing', 'log');
    const refused: [string, object, ErrorCode, RegExp][] = [
      [path(), { ...SMALL, readonly: true }, 'ERR_INVALID_ARG_VALUE', /the nearest one is readOnly/],
      [
        path(),
        { ...SMALL, allowOtherOwner: true },
        'ERR_INVALID_ARG_VALUE',
        /create: false or readOnly: true, too/,
      ],
      [
        path(),
        { readOnly: true, create: true },
        'ERR_INVALID_ARG_VALUE',
        /create must be false, or left out/,
      ],
      [
        path(),
        { create: false },
        'ERR_FILE_NOT_FOUND',
        /no such log; .* without create: false or readOnly: true/,
      ],
      [
        path(),
        { readOnly: true },
        'ERR_FILE_NOT_FOUND',
        /no such log; .* without create: false or readOnly: true/,
      ],
      [other, SMALL, 'ERR_FILE_NOT_FOUND', /the directory of the log is missing; make it first/],
    ];
    for (const [where, options, code, message] of refused) {
      expectError(() => AtomicLog.openSync(where, options as typeof SMALL), code, message);
    }
    expectError(() => AtomicLog.unlinkSync(path()), 'ERR_FILE_NOT_FOUND', /there is no such log$/);
  });

  test('after the end, and in another process, the message leads to a log that can be written', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    log.tryClaimWriter()!.end();
    expectError(
      () => log.tryClaimWriter(),
      'ERR_LOG_ENDED',
      /AtomicLog\.open\(path, \{ create: 'replace-ended' \}\)/,
    );
    expect(
      inOther(`
        try { AtomicLog.attach(${JSON.stringify(log.handle)}); } catch (error) { print([error.code, error.message]); }`),
    ).toEqual([
      'ERR_FOREIGN_HANDLE',
      expect.stringMatching(/a handle is for the threads of its process; open .* by its path/),
    ]);
    AtomicLog.unlinkSync(path());
    using writer = AtomicLog.openSync(path(), SMALL).tryClaimWriter()!;
    expect(writer.append(1)).toBe(0);
    log.close();
  });

  test('a full file system: the message says how many bytes are needed', () => {
    expect(
      openingRefused('x', IoCode.noSpace, constants.errno.ENOSPC, { what: 'make', bytes: 123456 }),
    ).toMatchObject({
      code: 'ERR_NO_SPACE',
      message: expect.stringMatching(/needs about 123456 bytes; make room \(a container .*--shm-size/),
    });
  });

  test('a file system without locks: the message says so', () => {
    expect(
      openingRefused('/mnt/log', IoCode.unsupported, constants.errno.EINVAL, { what: 'make', bytes: 1 }),
    ).toMatchObject({
      code: 'ERR_PLATFORM_UNSUPPORTED',
      message: expect.stringMatching(/\/mnt\/log: .* has no locks .*; put the log on a disk of this machine/),
    });
  });

  test('wakeUps says how waiters learn of what was published', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const reader = AtomicLog.openSync(path(), { readOnly: true });
    const ofThreads = new AtomicLog(SMALL);
    expect(ofThreads.wakeUps).toBe('immediate');
    // Linux with futexes, and built without.
    expect(log.wakeUps).toBe(process.env['ATOMIC_LOG_PORTABLE'] === undefined ? 'immediate' : 'polled');
    expect(reader.wakeUps).toBe('polled');
    for (const user of [log, reader, ofThreads]) user.close();
    expect(reader.wakeUps).toBe('polled');
  });

  test('a file that is not such a log is refused, and unlink() leaves it', async () => {
    expectError(() => AtomicLog.openSync(path(), { create: false }), 'ERR_FILE_NOT_FOUND', /no such log/);
    expectError(() => AtomicLog.unlinkSync(path()), 'ERR_FILE_NOT_FOUND', /no such log/);
    expectError(() => AtomicLog.openSync(directory.root(), SMALL), 'ERR_FILE_ACCESS', /not a regular file/);
    const tooLong = directory.root() + '/' + 'x'.repeat(300);
    expectError(
      () => AtomicLog.openSync(tooLong, SMALL),
      'ERR_OUT_OF_RANGE',
      /longer than the file system allows/,
    );
    if (!isWindows) {
      expectError(
        () => AtomicLog.unlinkSync(tooLong),
        'ERR_OUT_OF_RANGE',
        /longer than the file system allows/,
      );
    }
    writeFileSync(path(), 'notes');
    expectError(() => AtomicLog.openSync(path(), SMALL), 'ERR_FORMAT', /not the file of a log/);
    expectError(() => AtomicLog.unlinkSync(path()), 'ERR_FORMAT', /not the file of a log/);
    expect(names()).toEqual(['log']);
    const other = directory.path('other');
    AtomicLog.openSync(other, SMALL).close();
    // Of its own: Windows does not shorten a file that is still mapped.
    const shorter = directory.path('shorter');
    writeFileSync(shorter, readFileSync(other).subarray(0, 1000));
    expectError(
      () => AtomicLog.openSync(shorter, SMALL),
      'ERR_FORMAT',
      /only 1000 bytes.*; copy it again, or unlink it/,
    );
    await AtomicLog.unlink(shorter);
    const file = openSync(other, 'r+');
    writeSync(file, Buffer.from([77]), 0, 1, LAYOUT_VERSION_AT);
    closeSync(file);
    for (const options of [SMALL, { create: false }] as const) {
      expectError(() => AtomicLog.openSync(other, options as typeof SMALL), 'ERR_FORMAT', /layout 77/);
    }
    await AtomicLog.unlink(other);
    expect(names()).toEqual(['log']);
  });

  test('options of a wrong type or value are refused', () => {
    const refused: [object, ErrorCode, RegExp][] = [
      [{ ...SMALL, create: 1 }, 'ERR_INVALID_ARG_VALUE', /create/],
      [{ ...SMALL, mode: 0o1640 }, 'ERR_OUT_OF_RANGE', /mode must be .* up to 0o777 .*; got 0o1640 \(928\)$/],
      [{ ...SMALL, mode: 640 }, 'ERR_OUT_OF_RANGE', /got 0o1200 \(640\)$/],
      [{ ...SMALL, mode: -1 }, 'ERR_OUT_OF_RANGE', /got -1$/],
      // Who made it could not open it.
      ...[0, 0o200, 0o400, 0o466].map((mode): [object, ErrorCode, RegExp] => [
        { ...SMALL, mode },
        'ERR_OUT_OF_RANGE',
        /let the owner read and write, such as 0o600/,
      ]),
      [{ ...SMALL, mode: 0.5 }, 'ERR_OUT_OF_RANGE', /got 0.5$/],
      [{ ...SMALL, mode: '640' }, 'ERR_INVALID_ARG_TYPE', /0o777/],
      [{ ...SMALL, readersMax: 0 }, 'ERR_OUT_OF_RANGE', /readersMax/],
      [{ ...SMALL, extraSegments: 0 }, 'ERR_OUT_OF_RANGE', /extraSegments/],
      [{ ...SMALL, mapping: 'both' }, 'ERR_INVALID_ARG_VALUE', /mapping/],
      [{ ...SMALL, pinnedBytesMax: 1 }, 'ERR_INVALID_ARG_VALUE', /pinnedBytesMax .*: give extraSegments/],
      [
        { ...SMALL, create: false },
        'ERR_INVALID_ARG_VALUE',
        /retainedCapacity is for making the log: leave it out with create: false/,
      ],
      [
        { segmentCapacity: 5, readOnly: true },
        'ERR_INVALID_ARG_VALUE',
        /segmentCapacity is .*: leave it out with readOnly: true/,
      ],
      [{ create: false, mode: 0o640 }, 'ERR_INVALID_ARG_VALUE', /mode is for making the log/],
      [{ create: false, shema: schema }, 'ERR_INVALID_ARG_VALUE', /"shema"; the nearest one is schema/],
      [{ ...SMALL, wal: 'x' }, 'ERR_INVALID_ARG_VALUE', /wal .*AtomicLog\.open\(\{ wal \}\)/],
      [{ ...SMALL, signal: AbortSignal.timeout(1) }, 'ERR_INVALID_ARG_VALUE', /signal is for wait: true/],
      [{ ...SMALL, otherThan: 'a' }, 'ERR_INVALID_ARG_VALUE', /otherThan is for wait: true/],
      [{ create: false, otherThan: 'a' }, 'ERR_INVALID_ARG_VALUE', /otherThan is for wait: true/],
      [{ ...SMALL, create: null }, 'ERR_INVALID_ARG_VALUE', /create must be .*; got null/],
    ];
    for (const [options, code, message] of refused) {
      expectError(() => AtomicLog.openSync(path(), options as typeof SMALL), code, message);
    }
    expectError(() => AtomicLog.openSync('', SMALL), 'ERR_INVALID_ARG_VALUE', /path/);
    AtomicLog.openSync(path(), { ...SMALL, pinnedBytesMax: undefined }).close();
    AtomicLog.openSync(path(), { create: false, schema: undefined } as { create: false }).close();
    AtomicLog.unlinkSync(path());
    expect(names()).toEqual([]);
  });

  test('a path that is none is refused by that name', async () => {
    const open = AtomicLog.open as (...args: unknown[]) => Promise<unknown>;
    const openSync = AtomicLog.openSync as (...args: unknown[]) => unknown;
    const type = 'ERR_INVALID_ARG_TYPE';
    // As where a variable of the environment is not set.
    for (const args of [[undefined, SMALL], [null, SMALL], [undefined], [], [7], [Buffer.from('x'), SMALL]]) {
      expectError(() => openSync(...args), type, /^path must be a string; got /);
      expect(await rejection(open(...args))).toMatchObject({ code: type });
    }
    expectError(() => openSync(new URL('file:///x'), SMALL), type, /^path must be a string; got an object/);
    const sizes =
      /^options must be an object with retainedCapacity and segmentCapacity, or create: false to join a log; got /;
    expectError(() => openSync(path()), type, sizes);
    const none = /^options\.retainedCapacity must be .*; got undefined; give create: false to join a log$/;
    expectError(() => openSync(path(), {}), type, none);
    expectError(() => openSync(path(), { schema: { time: 'f64' } }), type, none);
    expectError(() => openSync(SMALL), type, /^options\.wal must be the path of a directory/);
  });

  test('a new file has the permissions that were asked for, and its memory', () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, mode: 0o640 });
    const { mode, size, blocks } = statSync(path());
    if (!isWindows) expect(mode & 0o777).toBe(0o640);
    // Wine says nothing of blocks that were not written to.
    if (!isWindows) expect(blocks * 512).toBeGreaterThanOrEqual(size);
    log.close();
  });

  test('more processes than readersMax are refused', () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, readersMax: 1 });
    const source = `
      const { AtomicLog } = require(${JSON.stringify(packageRoot)});
      try { AtomicLog.openSync(${JSON.stringify(path())}, { create: false }) } catch ({ code }) { console.log(code) }`;
    expect(runInChild(source)).toBe('ERR_TOO_MANY_PROCESSES');
    log.close();
    expect(inOther('print(log.endIndex)')).toBe(0);
  });

  test('unlink() takes the name; processes that have the log open keep it', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const writer = log.tryClaimWriter()!;
    await AtomicLog.unlink(path());
    expect(names()).toEqual([]);
    const next = AtomicLog.openSync(path(), SMALL);
    for (let i = 0; i < 100; ++i) writer.append(i);
    expect(log.latest()).toBe(99);
    expect(next.latest()).toBeUndefined();
    for (const user of [writer, log, next]) user.close();
  });

  test('a log outlives its processes, and the next writer goes on', () => {
    inOther('log.tryClaimWriter().appendBatch([1, 2, 3]); print(0)', JSON.stringify(SMALL));
    const log = AtomicLog.openSync(path(), SMALL);
    expect([...log.snapshot()]).toEqual([1, 2, 3]);
    using writer = log.tryClaimWriter()!;
    expect(writer.append(4)).toBe(3);
    log.close();
  });

  test('what a process pins beyond extraSegments stops the writer', () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, extraSegments: 1 });
    using writer = log.tryClaimWriter()!;
    for (let i = 0; i < 20; ++i) writer.append(i);
    const snapshot = log.snapshot();
    const before = [...snapshot];
    const append = () => {
      for (let i = 0; i < 100; ++i) writer.append(i);
    };
    expectError(append, 'ERR_PINNED_BYTES', /close or refresh old snapshots/);
    expect([...snapshot]).toEqual(before);
    expect(log.stats()).toMatchObject({ pinnedSegments: 2 });
    snapshot.close();
    append();
    expect(log.stats()).toMatchObject({ pinnedSegments: 0, segments: 7 });
    log.close();
  });

  test.each([1, 2, 3])(
    'readers keep as many as extraSegments, which are %i, and stop no writer',
    (extraSegments) => {
      for (const kept of [extraSegments, extraSegments + 1]) {
        const log = AtomicLog.openSync(path(), { ...SMALL, extraSegments });
        using writer = log.tryClaimWriter()!;
        const append = (segments: number) => {
          for (let i = 0; i < segments * 5; ++i) writer.append(i);
        };
        append(kept);
        using snapshot = log.snapshot();
        // The window has five segments, and each of the other blocks is used many times.
        if (kept > extraSegments) expectError(() => append(200), 'ERR_PINNED_BYTES', /extraSegments/);
        else append(200);
        expect(log.stats()).toMatchObject({ pinnedSegments: kept });
        expect([...snapshot]).toHaveLength(kept * 5);
        snapshot.close();
        append(200);
        log.close();
        AtomicLog.unlinkSync(path());
      }
    },
  );

  test('stats() tells which processes have it open, and what each keeps', async () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, extraSegments: 2 });
    using writer = log.tryClaimWriter()!;
    const append = (count: number) => writer.appendBatch(new Float64Array(count));
    append(15);
    using snapshot = log.snapshot();
    expectError(() => append(60), 'ERR_PINNED_BYTES', /stats\(\)/);
    const { segmentBytes, processes } = log.stats();
    const own = { pid: process.pid, isWriter: true, pinnedSegments: 3, pinnedBytes: 3 * segmentBytes };
    expect(processes).toEqual([{ ...own, isSelf: true }]);
    const [pid, seen] = inOther('print([process.pid, log.stats().processes])') as [number, unknown];
    expect(seen).toEqual([
      { ...own, isSelf: false },
      { pid, isSelf: true, isWriter: false, pinnedSegments: 0, pinnedBytes: 0 },
    ]);
    const reader = AtomicLog.openSync(path(), { readOnly: true });
    expect(reader.stats().processes).toEqual([{ ...own, isSelf: false }]);
    expect(snapshot.length).toBe(15);
    snapshot.close();
    writer.close();
    // The next one of this turn would have had what it has.
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.stats().processes).toMatchObject([{ isSelf: true, isWriter: false, pinnedSegments: 0 }]);
    expect(new AtomicLog(SMALL).stats().processes).toEqual([]);
    for (const each of [reader, log]) each.close();
  });

  test('end() ends the log in every process', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const writer = log.tryClaimWriter()!;
    writer.append(1);
    writer.end();
    expect(inOther('print([log.ended, log.latest()])')).toEqual([true, 1]);
    expectError(() => log.tryClaimWriter(), 'ERR_LOG_ENDED', /ended/);
    const got: number[] = [];
    for await (const batch of log.follow()) got.push(...batch);
    expect(got).toEqual([1]);
    log.close();
  });

  test('nativeHandle is refused', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    expectError(() => log.nativeHandle, 'ERR_MAPPING_UNAVAILABLE', /one process/);
    log.close();
  });

  test('memory that a stray store damaged is refused', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    log.tryClaimWriter()!.close();
    log.close();
    // The head sequence stands after the header.
    const source = `
      const fs = require('node:fs');
      const file = fs.openSync(${JSON.stringify(path())}, 'r+');
      const header = Buffer.alloc(20);
      fs.readSync(file, header, 0, 20, 0);
      fs.writeSync(file, Buffer.alloc(8, 0xff), 0, 8, Math.ceil(header.readUInt32LE(16) / 64) * 64);`;
    runInChild(source);
    const again = AtomicLog.openSync(path(), SMALL);
    expectError(() => again.snapshot(), 'ERR_LOG_DAMAGED', /unlink/);
    expectError(() => again.tryClaimWriter(), 'ERR_LOG_DAMAGED', /unlink/);
    again.close();
  });

  test('opened and closed again and again, it leaves nothing behind', () => {
    for (let i = 0; i < 200; ++i) {
      const log = AtomicLog.openSync(path(), SMALL);
      using writer = log.tryClaimWriter()!;
      writer.append(i);
      using snapshot = log.snapshot();
      expect(snapshot.at(-1)).toBe(i);
      log.close();
    }
    expect(inOther('print([log.endIndex, log.stats().pinnedSegments])')).toEqual([200, 0]);
  });
});
