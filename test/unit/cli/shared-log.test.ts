// What the command line shows of a log that processes share: after all of them were killed, next to those that have
// it open, and of copies. It takes no slot and changes nothing.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { createInterface } from 'node:readline';

import { AtomicLog, bytes, defineSchema, structured, utf8, type Codec } from 'atomic-log';

import { cli, cliPath, lines } from '../../support/cli';
import { runInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';
import { expectError } from '../../support/errors';
import { describeProcesses, tellsHolders } from '../../support/processes';
import { crc, temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const schema = defineSchema({ n: 'f64', id: 'i64', data: 'bytes' });

const json = (...args: string[]): unknown[] =>
  lines(cli(...args).stdout).map((line) => JSON.parse(line) as unknown);

function changeFile(change: (file: Buffer) => void): void {
  const file = readFileSync(path());
  change(file);
  const header = file.subarray(0, file.readUInt32LE(16));
  header.writeUInt32LE(0, 20);
  header.writeUInt32LE(crc('crc32c', header), 20);
  const descriptor = openSync(path(), 'r+');
  writeSync(descriptor, file, 0, file.length, 0);
  closeSync(descriptor);
}

describeProcesses('a log that processes share', () => {
  test('every published entry, after its writer was killed', () => {
    const child = `
      const { AtomicLog, defineSchema } = require(${JSON.stringify(packageRoot)});
      const schema = defineSchema(${JSON.stringify({ n: 'f64', id: 'i64', data: 'bytes' })});
      const log = AtomicLog.openSync(${JSON.stringify(path())}, { ...${JSON.stringify(SMALL)}, schema });
      const writer = log.tryClaimWriter();
      for (let i = 0; i < 33; ++i) writer.append({ n: i / 2, id: BigInt(i), data: Uint8Array.of(i) });
      process.kill(process.pid, 'SIGKILL');`;
    expect(() => runInChild(child)).toThrow();
    chmodSync(path(), 0o400);
    const before = readFileSync(path());
    const entry = (index: number) => ({
      index,
      value: { n: index / 2, id: String(index), data: { base64: Buffer.of(index).toString('base64') } },
    });
    expect(json('dump', '--json', path())).toEqual(Array.from({ length: 23 }, (_, i) => entry(i + 10)));
    expect(json('dump', '--json', '--from', '12', '--to', '13', path())).toEqual([entry(12), entry(13)]);
    expect(json('tail', '--json', '-n', '2', path())).toEqual([entry(31), entry(32)]);
    expect(cli('tail', '-n', '1', path()).stdout).toBe('32\t{"n":16,"id":"32","data":{"base64":"IA=="}}\n');
    expect(cli('dump', '--from', '99', path()).stderr).toMatch(/indexes 10 to 32/);
    const summary = JSON.parse(cli('inspect', '--json', path()).stdout) as object;
    expect(summary).toMatchObject({
      kind: 'shared log',
      firstIndex: 10,
      endIndex: 33,
      ended: false,
      isLocked: false,
      columns: schema,
      slots: [],
      readersMax: 64,
      isOfEarlierRun: false,
      size: statSync(path()).size,
      ...SMALL,
    });
    expect(readFileSync(path()).equals(before)).toBe(true);
    changeFile((file) => (file[96]! ^= 1));
    expect(cli('inspect', path()).stdout).toMatch(/boot id +\S+, of an earlier run of the system/);
    expect(json('tail', '--json', '-n', '1', path())).toEqual([entry(32)]);
  });

  test('next to those that have it open, and as it goes on', async () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, readersMax: 1 });
    using writer = log.tryClaimWriter()!;
    for (const value of [1, NaN, -Infinity]) writer.append(value);
    expect(cli('inspect', path()).stdout).toMatch(
      tellsHolders
        ? /entries +3: index 0 to 2\n[^]*columns +value: f64\n[^]*writer +process (\d+)\n[^]*processes +1 of 1: \1 \(slot 0\)\n/
        : /entries +3: index 0 to 2\n[^]*columns +value: f64\n[^]*writer +a process has it open\n[^]*processes +1 of 1: slot 0\n/,
    );
    expect(json('watch', '--json', '-n', '1', path())).toMatchObject([{ endIndex: 3, isLocked: true }]);
    expect(json('dump', '--json', path())).toEqual([
      { index: 0, value: 1 },
      { index: 1, value: 'NaN' },
      { index: 2, value: '-Infinity' },
    ]);
    const tail = spawn(process.execPath, [cliPath, 'tail', '-f', '-n', '1', path()]);
    const shown: string[] = [];
    for await (const line of createInterface({ input: tail.stdout })) {
      shown.push(line);
      if (shown.length === 1) writer.append(4);
      else writer.end();
    }
    expect(shown).toEqual(['2\t"-Infinity"', '3\t4']);
    log.close();
  });

  test('which processes have it open, and how much each keeps', () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, extraSegments: 2 });
    using writer = log.tryClaimWriter()!;
    writer.appendBatch(Float64Array.from({ length: 20 }, (_, i) => i));
    using snapshot = log.snapshot();
    const append = () => writer.appendBatch(new Float64Array(60));
    expectError(append, 'ERR_PINNED_BYTES', /`npx atomic-log inspect PATH` which process/);
    const other = `
      const { AtomicLog } = require(${JSON.stringify(packageRoot)});
      const log = AtomicLog.openSync(${JSON.stringify(path())}, { create: false });
      const { execFileSync } = require('node:child_process');
      const text = (...args) =>
        execFileSync(process.execPath, [${JSON.stringify(cliPath)}, 'inspect', ...args, ${JSON.stringify(path())}], { encoding: 'utf8' });
      console.log(JSON.stringify([process.pid, JSON.parse(text('--json')), text()]));`;
    const [pid, summary, text] = JSON.parse(runInChild(other)) as [number, object, string];
    const own = process.pid;
    if (!tellsHolders) {
      expect(summary).toMatchObject({
        slots: [
          { slot: 0, pinnedSegments: 3 },
          { slot: 1, pinnedSegments: 0 },
        ],
      });
      return log.close();
    }
    expect(summary).toMatchObject({
      holder: own,
      slots: [
        { slot: 0, pinnedSegments: 3, pid: own },
        { slot: 1, pinnedSegments: 0, pid },
      ],
    });
    expect(text).toMatch(`writer          process ${own}\n`);
    expect(text).toMatch(`2 of 64: ${own} (slot 0, keeps 3 segments), ${pid} (slot 1)\n`);
    expect(snapshot.length).toBe(20);
    log.close();
  });

  test('values of codecs, also of those that are not here', () => {
    const own: Codec<Date> = {
      name: 'date',
      encode: (date) => Buffer.from(date.toISOString()),
      decode: (data) => new Date(Buffer.from(data).toString()),
    };
    const cases: [Codec<unknown>, unknown, object][] = [
      [utf8 as Codec<unknown>, 'a\nb', { text: 'a\nb' }],
      [bytes as Codec<unknown>, Uint8Array.of(255), { base64: '/w==' }],
      [structured(), new Map([['a', [1n]]]), { value: { a: ['1'] } }],
      [own as Codec<unknown>, new Date(0), { text: '1970-01-01T00:00:00.000Z' }],
    ];
    for (const [codec, value, shown] of cases) {
      using log = AtomicLog.openSync(path(), { ...SMALL, codec });
      using writer = log.tryClaimWriter()!;
      writer.append(value);
      expect(json('dump', '--json', path())).toEqual([{ index: 0, ...shown }]);
      expect(JSON.parse(cli('inspect', '--json', path()).stdout)).toMatchObject({ codec: codec.name });
      AtomicLog.unlinkSync(path());
    }
  });

  test('what is damaged, or asked for in vain, is said', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    expect(cli('inspect', path()).stdout).toMatch(/entries +none; the next one is 0\n/);
    expect(cli('dump', path())).toMatchObject({ status: 0, stdout: '' });
    log.tryClaimWriter()!.append(1);
    for (const command of ['verify', 'repair']) {
      expect(cli(command, path())).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/on disk/) as string,
      });
    }
    expect(cli('dump', '--header-size', '3', path()).stderr).toMatch(/for segment files/);
    const copy = directory.path('copy');
    copyFileSync(path(), copy);
    truncateSync(copy, 4096);
    expect(cli('inspect', copy)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/only 4096 bytes/) as string,
    });
    // The head says that it is another segment.
    changeFile((file) => file.fill(0xff, file.length - 4096));
    for (const command of ['inspect', 'dump', 'tail', 'watch']) {
      const { status, stderr } = cli(command, path());
      expect(stderr).toMatch(/do not fit together: it is damaged, or a copy/);
      expect(status).toBe(2);
    }
    log.close();
  });
});
