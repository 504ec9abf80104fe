import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SegmentWriter, WalReader } from 'atomic-log';

import { cli } from '../../support/cli';
import { packageRoot } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';
import { fill, withWal } from '../../support/wals';

const directory = temporaryDirectory();
const log = () => directory.path('log');
const file = () => directory.path('file.seg');

const commands = [
  ['inspect'],
  ['inspect', '--json'],
  ['verify'],
  ['dump'],
  ['tail'],
  ['tail', '-f'],
  ['repair'],
  ['repair', '--apply'],
];

function expectRefusal(args: readonly string[], message: RegExp): void {
  expect(cli(...args)).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(message) as string,
  });
}

function segment(records: number): number[] {
  const writer = SegmentWriter.createSync(file(), { size: 4096 });
  const offsets = Array.from({ length: records }, (_, i) => writer.append(Buffer.from(`r ${i}`)).offset);
  writer.closeSync();
  return offsets;
}

test.each(['', ' ', ' 7', '0x10', '1e3', '+5', '-1', '1.0', '1_000', '٣', '9007199254740993'])(
  'the number %j',
  (number) => {
    withWal(log(), (wal) => fill(wal, 3));
    for (const option of ['--from', '--to']) {
      expectRefusal(['dump', `${option}=${number}`, log()], /an integer from 0 on, in decimal digits/);
    }
    expectRefusal(['tail', '-n', number, log()], /in decimal digits/);
    expectRefusal(['inspect', `--start-offset=${number}`, log()], /in decimal digits/);
  },
);

test('a file of a write-ahead log: its directory is named', () => {
  withWal(log(), (wal) => fill(wal, 3));
  const path = join(log(), 'wal-000001.log');
  for (const command of commands) {
    expectRefusal(
      [...command, path],
      /wal-000001\.log: this is a file of a write-ahead log; give its directory, .*log\n$/,
    );
  }
  // Also without its first bytes.
  writeFileSync(path, Buffer.alloc(8192));
  expectRefusal(['inspect', path], /give its directory/);
});

describe.each(commands.map((command) => [command.join(' '), command] as const))(
  '%s refuses',
  (_, command) => {
    test('a directory without a log', () => {
      mkdirSync(log());
      writeFileSync(join(log(), 'a'), '');
      expectRefusal([...command, log()], /log: no write-ahead log is in this directory/);
    });

    test('a file that is none of its kind, and leaves it alone', () => {
      const path = directory.path('package.json');
      const text = readFileSync(join(packageRoot, 'package.json'));
      writeFileSync(path, text);
      expectRefusal([...command, path], /package\.json: no record is at offset 0, but the file is not empty/);
      expect(readFileSync(path).equals(text)).toBe(true);
    });

    test('an empty file', () => {
      writeFileSync(file(), '');
      expectRefusal([...command, file()], /file\.seg: the file ends before its startOffset/);
    });

    test('what is not there', () => {
      expectRefusal([...command, directory.path('none')], /none: there is no such file or directory/);
      writeFileSync(directory.path('plain'), '');
      expectRefusal([...command, directory.path('plain/log')], /log: there is no such file or directory/);
    });

    test('options of segment files for a directory', () => {
      withWal(log(), (wal) => fill(wal, 3));
      expectRefusal([...command, '--header-size', '2', log()], /--header-size .* are for segment files/);
    });
  },
);

test('a file whose first record is damaged: its intact records are named', () => {
  const [first] = segment(10);
  const bytes = readFileSync(file());
  bytes[first! + 9]! ^= 1;
  writeFileSync(file(), bytes);
  expectRefusal(['verify', file()], /not empty \(99 bytes of intact records come later\)/);
});

test('a file with zeros in place of the first record is no empty one', () => {
  segment(10);
  const bytes = readFileSync(file());
  writeFileSync(file(), bytes.fill(0, 0, 11));
  for (const command of commands) expectRefusal([...command, file()], /not empty \(99 bytes/);
});

test('an empty segment file and an empty log are sound', () => {
  segment(0);
  withWal(log(), () => undefined);
  for (const path of [file(), log()]) {
    expect(cli('verify', path)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^0 .*, then a clean end\n$/) as string,
    });
    expect(cli('dump', path)).toEqual({ status: 0, stdout: '', stderr: '' });
  }
});

test('options of the other kind for repair', () => {
  segment(1);
  withWal(log(), (wal) => fill(wal, 3));
  expectRefusal(['repair', '--to', directory.path('copy'), file()], /--to is for directories/);
  expectRefusal(['repair', '--drop-intact', log()], /--drop-intact is for segment files/);
});

test('bounds within which nothing is', () => {
  const offsets = segment(3);
  withWal(log(), (wal) => fill(wal, 7));
  const empty = (stderr: RegExp) => ({
    status: 0,
    stdout: '',
    stderr: expect.stringMatching(stderr) as string,
  });
  for (const bounds of [
    ['--from', '9999'],
    ['--from', '5', '--to', '3'],
    ['--to', '0'],
  ]) {
    expect(cli('dump', ...bounds, log())).toEqual(empty(/nothing is within .*; the entries are 1 to 7/));
  }
  for (const from of ['33', '4096', '9999']) {
    expect(cli('dump', '--from', from, file())).toEqual(
      empty(/nothing is within .*; 3 records are at offsets from 0 on, and end at 33/),
    );
  }
  expect(cli('dump', '--from', String(offsets[2]), file())).toMatchObject({
    stdout: '22\tr 2\n',
    stderr: '',
  });
});

test('a reader waits in a directory for the log to be made', async () => {
  mkdirSync(log());
  using reader = WalReader.open(log(), { pollMs: 1 });
  expect([reader.firstLsn, reader.lastLsn, reader.files]).toEqual([1, 0, []]);
  const first = reader.follow().next();
  withWal(log(), (wal) => fill(wal, 3));
  expect((await first).value.map(({ lsn }: { lsn: number }) => lsn)).toContain(1);
});
