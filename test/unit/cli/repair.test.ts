import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SegmentReader, SegmentWriter } from 'atomic-log';

import { cli, cliPath, lines } from '../../support/cli';
import { packageRoot } from '../../support/internals';
import { runtime } from '../../support/runtime';
import { temporaryDirectory } from '../../support/segments';
import { parseWalFile } from '../../support/wal-format';
import { expectIntact, fill, withWal } from '../../support/wals';

const directory = temporaryDirectory();
const log = () => directory.path('log');
const file = () => directory.path('file.seg');
const walFile = (number: number) => join(log(), `wal-${String(number).padStart(6, '0')}.log`);
const RECORDS = 20;

function flip(path: string, offset: number): Buffer {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 1;
  writeFileSync(path, bytes);
  return bytes;
}

const mountable =
  process.platform === 'linux' &&
  runtime === 'node' &&
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

// Mounting needs root, and a place of its own for mounts, which unshare makes.
(mountable ? test : test.skip)(
  'a copy for which the disk has no room is not left half made (needs root)',
  () => {
    withWal(
      log(),
      (wal) => {
        for (let i = 0; i < 300; ++i) wal.write(Buffer.alloc(1000, i));
      },
      { segmentBytes: 65_536 },
    );
    flip(walFile(2), 5000);
    const small = directory.path('small');
    mkdirSync(small);
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        'mount -t tmpfs -o size=200k none "$0" && "$@"; status=$?; ls "$0"; exit $status',
        small,
        process.execPath,
        cliPath,
        'repair',
        '--apply',
        '--to',
        join(small, 'copy'),
        log(),
      ],
      { encoding: 'utf8' },
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/copy/);
  },
);

describe('a segment file', () => {
  const LENGTH = 8 + 'record 10'.length;
  const END = RECORDS * LENGTH;

  /** With one damaged record. */
  function damaged(record: number): Buffer {
    const writer = SegmentWriter.createSync(file(), { size: 4096 });
    for (let i = 0; i < RECORDS; ++i) writer.append(Buffer.from(`record ${10 + i}`));
    writer.closeSync();
    return flip(file(), record * LENGTH + 9);
  }

  test('inspect counts its records', () => {
    damaged(RECORDS - 1);
    expect(JSON.parse(cli('inspect', '--json', file()).stdout)).toEqual({
      kind: 'segment file',
      path: file(),
      isLocked: false,
      availableBytes: expect.any(Number) as number,
      mtimeMs: statSync(file()).mtimeMs,
      size: 4096,
      records: RECORDS - 1,
      writeOffset: END - LENGTH,
      remaining: 4096 - END + LENGTH,
      tornBytes: LENGTH,
      validBytesAfter: 0,
    });
  });

  test('one record is not called 1 records', () => {
    damaged(1);
    expect(cli('verify', file()).stdout).toMatch(/^1 intact record\n/);
  });

  test('a torn tail is what a crash leaves: all commands say so', () => {
    const bytes = damaged(RECORDS - 1);
    const words =
      /^19 records, then 17 bytes of a torn tail, the normal trace of a crash: opening .* quarantines it\n/;
    const torn = (stdout: RegExp) => ({
      status: 0,
      stdout: expect.stringMatching(stdout) as string,
      stderr: '',
    });
    expect(cli('verify', file())).toEqual(torn(words));
    const dry = cli('repair', file());
    expect(dry).toEqual(torn(words));
    expect(dry).toEqual(torn(/nothing was changed; --apply does it\n$/));
    expect(readFileSync(file()).equals(bytes)).toBe(true);
    expect(cli('repair', '--apply', file())).toEqual(
      torn(/17 bytes \(0 of .*\) were moved to .*\.torn-1\n$/),
    );
    expect(cli('verify', file())).toEqual(torn(/^19 records, then a clean end\n$/));
    expect(cli('repair', file())).toEqual(torn(/the file is sound\n$/));
  });

  test('intact records behind damage are named, and only quarantined when that is asked for', () => {
    const bytes = damaged(8);
    const behind = RECORDS - 9;
    const words = new RegExp(
      `^8 intact records\n.*is at 136, .* the 204 bytes .*, ${behind * LENGTH} are intact records`,
    );
    expect(behind * LENGTH).toBe(187);
    const found = (stdout: RegExp) => ({
      status: 1,
      stdout: expect.stringMatching(stdout) as string,
      stderr: '',
    });
    expect(cli('verify', file())).toEqual(found(words));
    const dry = cli('repair', file());
    expect(dry).toEqual(found(words));
    expect(dry).toEqual(found(/nothing was changed; --apply --drop-intact does it\n$/));
    const refused = cli('repair', '--apply', file());
    expect(refused).toEqual(found(words));
    expect(refused).toEqual(found(/nothing was changed: 187 bytes of intact records .* --drop-intact\n$/));
    expect(readFileSync(file()).equals(bytes)).toBe(true);
    expect(cli('repair', '--apply', '--drop-intact', file())).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/204 bytes \(187 of intact records\) were moved to/) as string,
    });
    expect(readFileSync(`${file()}.torn-1`).equals(bytes.subarray(136, END))).toBe(true);
    using reader = SegmentReader.open(file());
    expect([...reader.records()].length).toBe(8);
  });
});

describe('a write-ahead log', () => {
  test('with a missing file: what is left is counted, and the lost range named', () => {
    withWal(log(), (wal) => fill(wal, 300));
    const { baseLsn } = parseWalFile(readFileSync(walFile(2))).header;
    const { baseLsn: next } = parseWalFile(readFileSync(walFile(3))).header;
    rmSync(walFile(2));
    const left = 300 - (next - baseLsn);
    const { status, stdout } = cli('verify', log());
    expect(status).toBe(1);
    expect(lines(stdout)).toEqual([
      `${left} intact entries`,
      expect.stringMatching(/^damaged: .*wal-000002\.log: the files do not follow one another/),
      `lost: entries ${baseLsn} to ${next - 1}`,
      '"atomic-log repair" says what can be done',
    ]);
    expect(JSON.parse(cli('verify', '--json', log()).stdout)).toMatchObject({
      isSound: false,
      items: left,
      lost: [{ from: baseLsn, to: next - 1 }],
    });
    const moves = new RegExp(`entries from ${next} on get lower LSNs there`);
    const dry = cli('repair', log());
    expect(dry).toMatchObject({ status: 1, stdout: expect.stringMatching(moves) as string });
    expect(dry.stdout).toMatch(/nothing was changed; --apply does it\n$/);
    const done = cli('repair', '--apply', log());
    expect(done).toMatchObject({ status: 0, stdout: expect.stringMatching(moves) as string });
    expect(done.stdout).toContain(`${left} entries were copied`);
    withWal(`${log()}.repaired`, (wal) => expect(wal.lastLsn).toBe(left));
    // Before anything is promised.
    expect(cli('repair', log())).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/exists already/) as string,
    });
  });

  test('the copy is created as the log was: metadata, and files large enough', () => {
    const metadata = Buffer.from('shard 7');
    const large = Buffer.alloc(5000, 7);
    withWal(log(), (wal) => (fill(wal, 100), wal.appendSync(large)), { metadata, segmentBytes: 12288 });
    const bytes = readFileSync(walFile(1));
    flip(walFile(1), parseWalFile(bytes).records.find(({ type }) => type === 'DATA')!.offset + 45);
    expect(cli('repair', '--apply', log()).status).toBe(0);
    withWal(
      `${log()}.repaired`,
      (wal) => {
        expect(Buffer.from(wal.metadata)).toEqual(metadata);
        expect(new Set(wal.files.map((file) => file.bytes))).toEqual(new Set([12288]));
        expect(Buffer.from(wal.get(wal.lastLsn)!.data)).toEqual(large);
      },
      {},
    );
  });

  test('each lost range is named; the first entries lost move nothing', () => {
    withWal(log(), (wal) => fill(wal, 300));
    const { records } = parseWalFile(readFileSync(walFile(1)));
    const numbers = [0, 1, 9].map((i) => records.filter(({ type }) => type === 'DATA')[i]!.offset);
    for (const offset of numbers.slice(0, 2)) flip(walFile(1), offset + 45);
    expect(cli('repair', log()).stdout).not.toMatch(/lower LSNs/);
    flip(walFile(1), numbers[2]! + 45);
    const { stdout } = cli('verify', log());
    expect(stdout).toMatch(/^297 intact entries\n[^]*lost: entries 1 to 2\nlost: entries 10 to 10\n/);
    expect(stdout).not.toMatch(/salvage\(\)/);
    expect(cli('repair', log()).stdout).toMatch(/entries from 11 on get lower LSNs/);
  });

  test('entries behind a torn one were never acknowledged: they do not count', () => {
    const script = `
      const { Wal } = require(${JSON.stringify(packageRoot)});
      const wal = Wal.openSync(${JSON.stringify(log())}, { segmentBytes: 8192, durability: 'os' });
      (async () => {
        for (let i = 1; i <= 10; ++i) await wal.append(Buffer.from('entry ' + i));
        process.kill(process.pid, 'SIGKILL');
      })();`;
    // On Windows it has no signal, but a status.
    expect(spawnSync(process.execPath, ['-e', script]).status).not.toBe(0);
    const data = parseWalFile(readFileSync(walFile(1))).records.filter(({ type }) => type === 'DATA');
    expect(data.length).toBe(10);
    flip(walFile(1), data[4]!.offset + 42);
    const words =
      /^4 entries, then a torn tail, the normal trace of a crash: opening for writing quarantines it\n/;
    for (const command of ['verify', 'repair']) {
      expect(cli(command, log())).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(words) as string,
      });
    }
    expect(cli('repair', '--apply', log())).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/bytes were moved to .*wal-000001\.log\.torn-1/) as string,
    });
    expect(cli('verify', log()).stdout).toBe('4 entries, then a clean end\n');
  });

  test('of which nothing is left', () => {
    withWal(log(), (wal) => fill(wal, 3));
    const bytes = readFileSync(walFile(1));
    writeFileSync(walFile(1), bytes.fill(0xab, 40));
    for (const args of [['verify'], ['repair'], ['repair', '--apply']]) {
      expect(cli(...args, log())).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(/^0 intact entries/) as string,
      });
    }
  });

  test('a repaired log can be repaired again, and is sound', () => {
    withWal(log(), (wal) => fill(wal, 50));
    expect(lines(cli('repair', log()).stdout)).toEqual(['50 entries, then a clean end', 'the log is sound']);
    withWal(log(), (wal) => expectIntact(wal, 1, 50));
  });
});
