import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { SegmentWriter } from 'atomic-log';

import { cli, cliPath, lines, shell } from '../../support/cli';
import { temporaryDirectory } from '../../support/segments';
import { fill, withWal } from '../../support/wals';

const directory = temporaryDirectory();
const log = () => directory.path('log');
const onLinux = process.platform === 'linux' ? test : test.skip;
const onPosix = process.platform === 'win32' ? test.skip : test;

function dumped(...entries: (string | Buffer)[]): string[] {
  withWal(log(), (wal) => {
    for (const entry of entries) wal.write(Buffer.from(entry as string));
  });
  return lines(cli('dump', log()).stdout);
}

describe('entries as text', () => {
  test('one row each, with nothing that a terminal obeys', () => {
    expect(dumped('a\nb\r\tc\\', '\x1b[2Jx\0\x7f', '\u009b31m\u202egnp', 'Grüße 🌍')).toEqual([
      String.raw`1	a\nb\r\tc\\`,
      String.raw`2	\x1b[2Jx\x00\x7f`,
      String.raw`3	\u009b31m\u202egnp`,
      '4\tGrüße 🌍',
    ]);
  });

  test('bytes that are no text have a mark that no text has', () => {
    expect(dumped(Buffer.from([0xff, 0x61]), '0xff61', 'ff61', '', '.')).toEqual([
      '1\t0xff61',
      String.raw`2	\x30xff61`,
      '3\tff61',
      '4\t',
      '5\t.',
    ]);
  });

  test('JSON has no control characters either, and says the same', () => {
    const text = '\u009b31m\x7f\x1b\u202e\n"';
    withWal(log(), (wal) => wal.write(Buffer.from(text)));
    const { stdout } = cli('dump', '--format', 'json', log());
    expect(stdout).toMatch(/^[\x20-\x7e]*\n$/);
    expect(JSON.parse(stdout)).toEqual({ lsn: 1, text });
  });

  test('what nothing is shown for is shown: zero-width, bidirectional and tag characters, selectors', () => {
    const hidden = 'a\u200bb\u200d\u2060\ufeff\u00ad\u061c\u2066\u180e\u{e0041}\u{e0101}\ufe0f';
    expect(dumped(hidden)).toEqual([
      String.raw`1	a\u200bb\u200d\u2060\ufeff\u00ad\u061c\u2066\u180e\u{e0041}\u{e0101}\ufe0f`,
    ]);
    const { stdout } = cli('dump', '--json', log());
    expect(stdout).toMatch(/^[\x20-\x7e]*\n$/);
    expect(JSON.parse(stdout)).toEqual({ lsn: 1, text: hidden });
  });

  test('--json is a line for each entry', () => {
    withWal(log(), (wal) => {
      wal.write(Buffer.from('a\nb'));
      wal.write(Buffer.from([0xff]));
    });
    for (const command of ['dump', 'tail']) {
      const { stdout } = cli(command, '--json', log());
      expect(stdout).toBe('{"lsn":1,"text":"a\\nb"}\n{"lsn":2,"base64":"/w=="}\n');
      expect(cli(command, '--format', 'json', log()).stdout).toBe(stdout);
    }
    expect(cli('dump', '--json', '--format', 'raw', log())).toMatchObject({ status: 2, stdout: '' });
  });

  test('metadata too', () => {
    withWal(log(), () => undefined, { metadata: Buffer.from('\x1b[31m') });
    expect(cli('inspect', log()).stdout).toMatch(/metadata +\\x1b\[31m/);
  });
});

test('the last of many records, in order', () => {
  const path = directory.path('many.seg');
  const count = 40_000;
  const writer = SegmentWriter.createSync(path, { size: count * 16 });
  for (let i = 0; i < count; ++i) writer.append(Buffer.from(String(i).padStart(6)));
  writer.closeSync();
  const numbers = (...args: string[]): number[] =>
    lines(cli('tail', ...args, path).stdout).map((line) => Number(line.split('\t')[1]));
  for (const wanted of [7, count - 1, count, count + 1]) {
    const expected = Math.min(wanted, count);
    expect(numbers('-n', String(wanted))).toEqual(
      Array.from({ length: expected }, (_, i) => count - expected + i),
    );
  }
});

describe('output that cannot be written', () => {
  const commands = [
    ['dump', '--format', 'raw'],
    ['dump'],
    ['tail'],
    ['verify'],
    ['verify', '--json'],
    ['inspect'],
    ['inspect', '--json'],
    ['watch', '-n', '1'],
    ['repair'],
  ];
  onLinux.each(commands.map((command) => [command]))('%s', (args) => {
    withWal(log(), (wal) => fill(wal, 50));
    expect(shell('>/dev/full', ...args, log())).toMatchObject({
      status: 2,
      // In the runtime's words.
      stderr: expect.stringMatching(/^atomic-log: .*(ENOSPC|No space left)/) as string,
    });
  });

  onLinux('a segment file', () => {
    const path = directory.path('file.seg');
    SegmentWriter.createSync(path, { size: 4096 }).closeSync();
    expect(shell('>/dev/full', 'inspect', path)).toMatchObject({ status: 2 });
  });

  onPosix('a file gets all of it', () => {
    withWal(log(), (wal) => fill(wal, 50));
    const path = directory.path('copy');
    expect(shell(`>'${path}'`, 'dump', log())).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(path, 'utf8')).toBe(cli('dump', log()).stdout);
  });
});

describe('a reader that goes', () => {
  onPosix.each([['dump'], ['tail', '-n', '20000']])('ends %s %s %s quietly', async (...args) => {
    // More than a pipe holds.
    withWal(log(), (wal) => fill(wal, 20_000), {});
    const child = spawn(process.execPath, [cliPath, ...args, log()], { stdio: 'pipe' });
    let complaint = '';
    child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [status] = (await once(child, 'exit')) as [number | null];
    expect({ status, complaint }).toEqual({ status: 0, complaint: '' });
  });

  onPosix.each([
    ['a log', () => log()],
    ['a segment file', () => directory.path('file.seg')],
  ])('ends tail -f of %s on which nothing comes', (_, path) => {
    withWal(log(), (wal) => fill(wal, 5));
    const writer = SegmentWriter.createSync(directory.path('file.seg'), { size: 4096 });
    for (let i = 1; i <= 5; ++i) writer.append(Buffer.from(`record ${i}`));
    writer.closeSync();
    // The time limit of shell() would show as a status that is none.
    const { status, stdout, stderr } = shell('| head -1', 'tail', '-f', '-n', '2', path());
    expect({ status, count: lines(stdout).length, stderr }).toEqual({ status: 0, count: 1, stderr: '' });
  });

  onPosix('ends tail -f that waits for a first entry', async () => {
    withWal(log(), () => undefined);
    const child = spawn(process.execPath, [cliPath, 'tail', '-f', log()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    child.stdout.destroy();
    expect(await exit).toEqual([0, null]);
  });
});
