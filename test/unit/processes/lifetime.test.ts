// From the first process that opens a path to the last: a log that is waited for, and one that takes the place of another.
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import { AtomicLog, defineSchema, type ErrorCode } from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { describeProcesses } from '../../support/processes';
import { crc, temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const schema = defineSchema({ time: 'f64' });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes the log one of an earlier run of the system. */
function changeBootId(): void {
  const file = readFileSync(path());
  const header = file.subarray(0, file.readUInt32LE(16));
  header[96]! ^= 1;
  header.writeUInt32LE(0, 20);
  header.writeUInt32LE(crc('crc32c', header), 20);
  const descriptor = openSync(path(), 'r+');
  writeSync(descriptor, header, 0, header.length, 0);
  closeSync(descriptor);
}

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
    changeBootId();
    expectError(() => AtomicLog.openSync(path(), { create: false }), 'ERR_FORMAT', /wait: true/);
    const opening = AtomicLog.open(path(), { create: false, wait: true });
    await pause(50);
    const made = AtomicLog.openSync(path(), { ...SMALL, firstIndex: 100 });
    const log = await opening;
    expect(log.firstIndex).toBe(100);
    log.close();
    made.close();
    changeBootId();
    // Who only reads reads it.
    const read = await AtomicLog.open(path(), { readOnly: true, wait: true });
    expect(read.firstIndex).toBe(100);
    read.close();
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

  test('only by who returns a promise, and for what another makes', async () => {
    const refused: [object, ErrorCode, RegExp][] = [
      [{ ...SMALL, wait: true }, 'ERR_INVALID_ARG_VALUE', /give create: false or readOnly: true, too/],
      [{ create: false, wait: 5 }, 'ERR_INVALID_ARG_TYPE', /wait must be a boolean/],
      [{ create: false, signal: AbortSignal.timeout(1) }, 'ERR_INVALID_ARG_VALUE', /no option "signal"/],
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
    expect(readdirSync(directory.root())).toEqual(['log']);
    for (const log of [first, same, next]) log.close();
  });
});
