// From the first process that opens a path to the last: a log that is waited for, and one that takes the place of another.
import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { AtomicLog, defineSchema, type ErrorCode } from 'atomic-log';

import { runInChild } from '../../support/child';
import { expectError, rejection } from '../../support/errors';
import { packageRoot } from '../../support/internals';
import { changeBootId, changeHeader, describeProcesses, namesIn } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const schema = defineSchema({ time: 'f64' });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeProcesses('a log that is waited for', () => {
  test.each([{ create: false }, { readOnly: true }] as const)('%j: opened when it is there', async (how) => {
    const where = directory.path('later/log');
    const opening = AtomicLog.open(where, { ...how, schema, wait: true });
    await pause(50);
    mkdirSync(dirname(where));
    await pause(50);
    const made = AtomicLog.openSync(where, { ...SMALL, schema });
    made.tryClaimWriter()!.append({ time: 7 });
    const log = await opening;
    const follower = log.follow();
    const { value: batch } = await follower.next();
    expect([...batch!]).toEqual([{ time: 7 }]);
    await follower.return!();
    log.close();
    made.close();
    const again = await AtomicLog.open(where, { ...how, schema, wait: true });
    expect(again.latest()).toEqual({ time: 7 });
    again.close();
  });

  test('one of an earlier run of the system gives way first', async () => {
    AtomicLog.openSync(path(), SMALL).close();
    changeHeader(path(), changeBootId);
    expectError(() => AtomicLog.openSync(path(), { create: false }), 'ERR_FORMAT', /wait: true/);
    const opening = AtomicLog.open(path(), { create: false, wait: true });
    await pause(50);
    const made = AtomicLog.openSync(path(), { ...SMALL, firstIndex: 100 });
    const log = await opening;
    expect(log.firstIndex).toBe(100);
    log.close();
    made.close();
    changeHeader(path(), changeBootId);
    // Who only reads reads it.
    const read = await AtomicLog.open(path(), { readOnly: true, wait: true });
    expect(read.firstIndex).toBe(100);
    read.close();
  });

  test('one whose maker was not told of the run of the system does not give way', () => {
    const made = AtomicLog.openSync(path(), SMALL);
    made.tryClaimWriter()!.append(7);
    changeHeader(path(), (header) => header.fill(0, 96, 112));
    // As another process: this one has it open already.
    const source = `
      const { AtomicLog } = require(${JSON.stringify(packageRoot)});
      const options = [{ create: false }, ${JSON.stringify(SMALL)}, { readOnly: true }];
      console.log(options.map((each) => AtomicLog.openSync(${JSON.stringify(path())}, each).latest()));`;
    expect(runInChild(source)).toBe('[ 7, 7, 7 ]');
    expect(made.isReplaced).toBe(false);
    made.close();
  });

  test('until the signal ends it, or something else has the name', async () => {
    const abort = new AbortController();
    const waiting = AtomicLog.open(path(), { create: false, wait: true, signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 30);
    await expect(waiting).rejects.toThrow('enough');
    await expect(
      AtomicLog.open(path(), { readOnly: true, wait: true, signal: abort.signal }),
    ).rejects.toThrow('enough');
    const timeout = AbortSignal.timeout(30);
    const late = AtomicLog.open(path(), { create: false, wait: true, signal: timeout });
    expect(await rejection(late)).toMatchObject({ name: 'TimeoutError' });
    const refused = rejection(AtomicLog.open(path(), { create: false, wait: true }));
    await pause(30);
    writeFileSync(path(), 'notes');
    expect(await refused).toMatchObject({ code: 'ERR_FORMAT' });
  });

  test('only by open(), and for a log that another process makes', async () => {
    const refused: [object, ErrorCode, RegExp][] = [
      [{ ...SMALL, wait: true }, 'ERR_INVALID_ARG_VALUE', /give create: false or readOnly: true, too/],
      [{ create: false, wait: 5 }, 'ERR_INVALID_ARG_TYPE', /wait must be a boolean/],
      [
        { create: false, signal: AbortSignal.timeout(1) },
        'ERR_INVALID_ARG_VALUE',
        /signal is for wait: true/,
      ],
      [{ create: false, wait: true, signal: 1 }, 'ERR_INVALID_ARG_TYPE', /AbortSignal/],
    ];
    for (const [options, code, message] of refused) {
      const error = await rejection(AtomicLog.open(path(), options as { create: false }));
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    }
    expectError(
      () => AtomicLog.openSync(path(), { create: false, wait: true } as { create: false }),
      'ERR_INVALID_ARG_VALUE',
      /openSync\(\) does not wait/,
    );
    expectError(
      () => AtomicLog.openSync(path(), { create: false, wait: false } as { create: false }),
      'ERR_FILE_NOT_FOUND',
      /wait: true until another process has/,
    );
  });
});

describeProcesses('a log that takes the place of another', () => {
  test('which has ended, and only then', async () => {
    const first = await AtomicLog.open(path(), { ...SMALL, create: 'replace-ended' });
    const writer = first.tryClaimWriter()!;
    writer.append(1);
    const same = AtomicLog.openSync(path(), { ...SMALL, create: 'replace-ended' });
    expect(same.latest()).toBe(1);
    expectError(
      () => AtomicLog.openSync(path(), { ...SMALL, segmentCapacity: 4, create: 'replace-ended' }),
      'ERR_FORMAT',
      /segmentCapacity/,
    );
    writer.end();
    expect(AtomicLog.openSync(path(), SMALL).ended).toBe(true);
    // Sizes and columns are those of the new one.
    const next = await AtomicLog.open(path(), {
      schema,
      retainedCapacity: 100,
      segmentCapacity: 10,
      create: 'replace-ended',
    });
    expect(next.ended).toBe(false);
    next.tryClaimWriter()!.append({ time: 5 });
    expect(AtomicLog.openSync(path(), { create: false, schema }).latest()).toEqual({ time: 5 });
    // Who has the old one keeps it.
    expect(first.latest()).toBe(1);
    const delivered: number[] = [];
    for await (const batch of same.follow()) delivered.push(...batch);
    expect(delivered).toEqual([1]);
    expect(namesIn(directory.root())).toEqual(['log']);
    for (const log of [first, same, next]) log.close();
  });
});

describeProcesses('a log whose path leads elsewhere', () => {
  /** What takes its name away, or gives it to another file. */
  const all: [string, () => void][] = [
    ['unlinked', () => AtomicLog.unlinkSync(path())],
    ['moved', () => renameSync(path(), directory.path('other'))],
    [
      'replaced',
      () => {
        AtomicLog.openSync(directory.path('new'), SMALL).close();
        renameSync(directory.path('new'), path());
      },
    ],
    [
      'in a directory that has gone',
      () => {
        renameSync(directory.root(), `${directory.root()}-moved`);
        cleanUps.push(() => renameSync(`${directory.root()}-moved`, directory.root()));
      },
    ],
  ];
  // Windows refuses the others while the file is open.
  const losses = process.platform === 'win32' ? all.slice(0, 2) : all;
  const cleanUps: (() => void)[] = [];
  afterEach(() => {
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
  });

  test.each(losses)('%s: those who ask are told, and the others go on', async (_, lose) => {
    const log = AtomicLog.openSync(path(), SMALL);
    const reader = AtomicLog.openSync(path(), { readOnly: true });
    const writer = log.tryClaimWriter()!;
    writer.append(1);
    for (const each of [log, reader]) expect(each.isReplaced).toBe(false);
    const ending = log.follow({ whenReplaced: 'end' });
    const throwing = reader.follow({ whenReplaced: 'throw' });
    const waiting = log.follow();
    for (const each of [ending, throwing, waiting]) expect([...(await each.next()).value!]).toEqual([1]);
    const last = [ending.next(), rejection(throwing.next())] as const;
    const standby = rejection(log.waitForWriter({ whenReplaced: 'throw' }));
    const next = waiting.next();
    lose();
    expect((await last[0]).done).toBe(true);
    for (const error of [await last[1], await standby]) {
      expect(error).toMatchObject({
        code: 'ERR_FILE_REPLACED',
        message: expect.stringMatching(/unlinked, moved or replaced.*open the path again/) as string,
      });
    }
    for (const each of [log, reader]) expect(each.isReplaced).toBe(true);
    writer.append(2);
    expect([...(await next).value!]).toEqual([2]);
    // Everything that is there is delivered first.
    const late = log.follow({ whenReplaced: 'end' });
    expect([...(await late.next()).value!]).toEqual([1, 2]);
    expect((await late.next()).done).toBe(true);
    writer.end();
    expect((await waiting.next()).done).toBe(true);
    for (const each of [log, reader]) each.close();
  });

  test('where the system does not tell, isReplaced is false', async () => {
    // Windows lets few users make links, and Wine makes none.
    if (process.platform === 'win32') return;
    // A loop of links is no answer; permissions are none to root.
    const real = directory.path('real');
    const link = directory.path('link');
    mkdirSync(real);
    symlinkSync(real, link);
    const log = AtomicLog.openSync(join(link, 'log'), SMALL);
    using writer = log.tryClaimWriter()!;
    rmSync(link);
    symlinkSync(link, link);
    expect(log.isReplaced).toBe(false);
    const follower = log.follow({ whenReplaced: 'throw' });
    const next = follower.next();
    await pause(300);
    writer.append(1);
    expect((await next).done).toBe(false);
    await follower.return!();
    log.close();
  });

  test('what gives way is the file that a link leads to, not the link', () => {
    // Windows lets few users make links, and Wine makes none.
    if (process.platform === 'win32') return;
    const link = directory.path('link');
    symlinkSync(path(), link);
    const log = AtomicLog.openSync(path(), SMALL);
    log.tryClaimWriter()!.end();
    const next = AtomicLog.openSync(link, { ...SMALL, create: 'replace-ended' });
    expect([log.isReplaced, next.isReplaced]).toEqual([true, false]);
    expect(AtomicLog.openSync(path(), { create: false }).logId).toBe(next.logId);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    for (const each of [log, next]) each.close();
  });

  test('the id of its file tells which one it is', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const id = log.logId;
    expect(id).toMatch(/^[\da-f]{32}$/);
    expect(AtomicLog.openSync(path(), { readOnly: true }).logId).toBe(id);
    log.tryClaimWriter()!.end();
    const next = AtomicLog.openSync(path(), { ...SMALL, create: 'replace-ended' });
    expect(next.logId).not.toBe(id);
    expect([log.isReplaced, next.isReplaced]).toEqual([true, false]);
    for (const each of [log, next]) each.close();
    expectError(() => log.isReplaced, 'ERR_LOG_CLOSED', /closed/);
  });

  test('a log of one process has no path', async () => {
    const { writer, log } = AtomicLog.claimed(SMALL);
    expect([log.logId, log.isReplaced]).toEqual([undefined, false]);
    const follower = log.follow({ whenReplaced: 'throw' });
    const next = follower.next();
    writer.append(1);
    expect((await next).done).toBe(false);
    expectError(() => log.follow({ whenReplaced: 'x' as 'end' }), 'ERR_INVALID_ARG_VALUE', /whenReplaced/);
    const error = await rejection(log.waitForWriter({ whenReplaced: 'end' as 'throw' }));
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    writer.close();
    (await log.waitForWriter({ whenReplaced: 'throw' })).close();
    log.close();
  });
});
