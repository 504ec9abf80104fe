// What the command line shows of a log that processes share: after all of them were killed, next to those that have
// it open, and of copies. It takes no slot and changes nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
import type { Readable } from 'node:stream';

import { AtomicLog, bytes, defineSchema, structured, utf8, type Codec } from 'atomic-log';

import { cli, cliLater, cliPath, lines } from '../../support/cli';
import { runInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';
import { expectError } from '../../support/errors';
import { describeProcesses } from '../../support/processes';
import { crc, temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const schema = defineSchema({ n: 'f64', id: 'i64', data: 'bytes' });

const json = async (...args: string[]): Promise<unknown[]> =>
  lines((await cliLater(...args)).stdout).map((line) => JSON.parse(line) as unknown);

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
  test('text in a record is escaped once, so that a line has the JSON of it', () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, schema: defineSchema({ text: 'utf8' }) });
    using writer = log.tryClaimWriter()!;
    const text = 'a\tb\\c\n"\u200b\u{e0041}';
    writer.append({ text });
    const { stdout } = cli('tail', path());
    expect(stdout).toBe('0\t{"text":"a\\tb\\\\c\\n\\"\\u200b\\udb40\\udc41"}\n');
    expect(JSON.parse(stdout.slice(2))).toEqual({ text });
    expect(cli('dump', '--grep', 'b\\\\\\\\c', path()).stdout).toBe(stdout);
    log.close();
  });

  test('every published entry, after its writer was killed', async () => {
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
    const [dumped, some, last, text, nothing, inspected] = await Promise.all([
      json('dump', '--json', path()),
      json('dump', '--json', '--from', '12', '--to', '13', path()),
      json('tail', '--json', '-n', '2', path()),
      cliLater('tail', '-n', '1', path()),
      cliLater('dump', '--from', '99', path()),
      cliLater('inspect', '--json', path()),
    ]);
    expect(dumped).toEqual(Array.from({ length: 23 }, (_, i) => entry(i + 10)));
    expect(some).toEqual([entry(12), entry(13)]);
    expect(last).toEqual([entry(31), entry(32)]);
    expect(text.stdout).toBe('32\t{"n":16,"id":"32","data":{"base64":"IA=="}}\n');
    expect(nothing.stderr).toMatch(/indexes 10 to 32/);
    const summary = JSON.parse(inspected.stdout) as object;
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
    const [earlier, entries] = await Promise.all([
      cliLater('inspect', path()),
      json('tail', '--json', '-n', '1', path()),
    ]);
    expect(earlier.stdout).toMatch(/boot id +\S+, of an earlier run of the system/);
    expect(entries).toEqual([entry(32)]);
  });

  test('next to those that have it open, and as it goes on', async () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, readersMax: 1 });
    using writer = log.tryClaimWriter()!;
    for (const value of [1, NaN, -Infinity]) writer.append(value);
    const [inspected, watched] = await Promise.all([
      cliLater('inspect', path()),
      json('watch', '--json', '-n', '1', path()),
    ]);
    expect(inspected.stdout).toMatch(
      /entries +3: index 0 to 2\n[^]*columns +value: f64\n[^]*writer +process (\d+)\n[^]*processes +1 of 1: \1 \(slot 0\)\n/,
    );
    expect(watched).toMatchObject([{ endIndex: 3, isLocked: true }]);
    const tail = spawn(process.execPath, [cliPath, 'tail', '-f', '--json', '-n', '3', path()]);
    const shown: unknown[] = [];
    for await (const line of createInterface({ input: tail.stdout })) {
      shown.push((JSON.parse(line) as { value: unknown }).value);
      if (shown.length === 3) writer.append(4);
      if (shown.length === 4) writer.end();
    }
    expect(shown).toEqual([1, 'NaN', '-Infinity', 4]);
    log.close();
  });

  test('what is followed ends with its name', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    using writer = log.tryClaimWriter()!;
    writer.append(1);
    const tail = spawn(process.execPath, [cliPath, 'tail', '-f', path()]);
    let complaint = '';
    tail.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    tail.stdout.once('data', () => AtomicLog.unlinkSync(path()));
    const [status] = (await once(tail, 'close')) as [number];
    expect(complaint).toMatch(/unlinked, moved or replaced/);
    expect(status).toBe(2);
    log.close();
  });

  test('is waited for, and so is each that takes its place', async () => {
    const write = (value: number, end: boolean): AtomicLog<number> => {
      const log = AtomicLog.openSync(path(), { ...SMALL, create: 'replace-ended' });
      using writer = log.tryClaimWriter()!;
      writer.append(value);
      if (end) writer.end();
      return log;
    };
    const tail = spawn(process.execPath, [cliPath, 'tail', '-f', '--wait', path()]);
    const logs: AtomicLog<number>[] = [];
    // What is done once it has shown or said so much. Each stream in its order: no one orders the two.
    const shown: [string, () => void][] = [
      ['0\t1', () => undefined],
      ['0\t2', () => AtomicLog.unlinkSync(path())],
      ['0\t3', () => tail.kill()],
    ];
    const said: [string, () => void][] = [
      ['no log is there; waiting for one', () => logs.push(write(1, true))],
      ['the log has ended; waiting for the one', () => logs.push(write(2, false))],
      ['going on with the log ', () => undefined],
      ['the log was unlinked, moved or replaced; waiting', () => logs.push(write(3, false))],
      ['going on with the log ', () => undefined],
    ];
    const hear = (stream: Readable, steps: [string, () => void][]): string[] => {
      const lines: string[] = [];
      createInterface({ input: stream }).on('line', (line) => {
        steps[lines.length]?.[1]();
        lines.push(line);
      });
      return lines;
    };
    const [out, err] = [hear(tail.stdout, shown), hear(tail.stderr, said)];
    await once(tail, 'close');
    expect(out).toEqual(shown.map(([line]) => line));
    expect(err).toHaveLength(said.length);
    for (const [i, [text]] of said.entries()) expect(err[i]).toContain(`atomic-log: ${path()}: ${text}`);
    expect(err[2]).toContain(logs[1]!.logId);
    for (const log of logs) log.close();
  });

  test('waiting for one is for such logs', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    using writer = log.tryClaimWriter()!;
    writer.append(5);
    expect(cli('tail', '--wait', path())).toMatchObject({ status: 0, stdout: '0\t5\n', stderr: '' });
    for (const args of [[directory.root()], ['--header-size', '3', path()], [cliPath]]) {
      const { status, stderr } = cli('tail', '--wait', ...args);
      expect(stderr).toMatch(/--wait is for the file of a log that processes share|no write-ahead log/);
      expect(status).toBe(2);
    }
    log.close();
  });

  test('which processes have it open, and how much each keeps', async () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, extraSegments: 2 });
    using writer = log.tryClaimWriter()!;
    writer.appendBatch(Float64Array.from({ length: 20 }, (_, i) => i));
    using snapshot = log.snapshot();
    const append = () => writer.appendBatch(new Float64Array(60));
    expectError(append, 'ERR_PINNED_BYTES', /or process \(as `npx atomic-log inspect PATH`\)/);
    const other = `
      const { AtomicLog } = require(${JSON.stringify(packageRoot)});
      // Kept: what is collected is closed.
      globalThis.log = AtomicLog.openSync(${JSON.stringify(path())}, { create: false });
      console.log('open');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--eval', other]);
    await once(child.stdout, 'data');
    const { pid } = child;
    const [inspected, { stdout: text }] = await Promise.all([
      cliLater('inspect', '--json', path()),
      cliLater('inspect', path()),
    ]);
    const summary = JSON.parse(inspected.stdout) as object;
    child.kill('SIGKILL');
    const own = process.pid;
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

  test('values of codecs, also of those that are not here', async () => {
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
    await Promise.all(
      cases.map(async ([codec, value, shown]) => {
        const own = directory.path(codec.name);
        using log = AtomicLog.openSync(own, { ...SMALL, codec });
        using writer = log.tryClaimWriter()!;
        writer.append(value);
        expect(await json('dump', '--json', own)).toEqual([{ index: 0, ...shown }]);
        if (codec.name !== 'date') return;
        expect(JSON.parse((await cliLater('inspect', '--json', own)).stdout)).toMatchObject({
          codec: 'date',
        });
      }),
    );
  });

  test('what is damaged, or asked for in vain, is said', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const [inspected, dumped, ...vain] = await Promise.all([
      cliLater('inspect', path()),
      cliLater('dump', path()),
      cliLater('verify', path()),
      cliLater('repair', path()),
      cliLater('dump', '--header-size', '3', path()),
    ]);
    expect(inspected.stdout).toMatch(/entries +none; the next one is 0\n/);
    expect(dumped).toMatchObject({ status: 0, stdout: '' });
    expect(vain.map(({ status }) => status)).toEqual([2, 2, 2]);
    const reasons = [/on disk/, /on disk/, /for segment files/];
    for (const [i, reason] of reasons.entries()) expect(vain[i]!.stderr).toMatch(reason);
    log.tryClaimWriter()!.append(1);
    const copy = directory.path('copy');
    copyFileSync(path(), copy);
    truncateSync(copy, 4096);
    expect(cli('inspect', copy)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/only 4096 bytes/) as string,
    });
    // The head says that it is another segment.
    changeFile((file) => file.fill(0xff, file.length - 4096));
    const commands = ['inspect', 'dump', 'tail', 'watch'];
    for (const { status, stderr } of await Promise.all(
      commands.map((command) => cliLater(command, path())),
    )) {
      expect(stderr).toMatch(/do not fit together: it is damaged, or a copy/);
      expect(status).toBe(2);
    }
    log.close();
  });
});
