// What the command line shows of a log for people, and what it changes in one.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statfsSync, statSync } from 'node:fs';

import { SegmentWriter, Wal, WalCursor, WalReader } from 'atomic-log';

import { painter, formatAge } from '../../../lib/cli/words';
import { cli, cliPath, lines } from '../../support/cli';
import { packageRoot } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';
import { expectIntact, fill, SMALL_FILES, withWal } from '../../support/wals';

const directory = temporaryDirectory();
const log = () => directory.path('log');
const copy = () => directory.path('copy');

interface Facts {
  isLocked: boolean;
  holder?: number;
  availableBytes: number;
  logId: string;
  files: { path: string; bytes: number; mtimeMs: number }[];
}

const facts = (path: string): Facts => JSON.parse(cli('inspect', '--json', path).stdout) as Facts;

describe('inspect', () => {
  test('says who has the log open, what is free, and when it was written', async () => {
    const wal = await Wal.open(log());
    await wal.append(Buffer.from('one'));
    const open = facts(log());
    expect(open).toMatchObject({ isLocked: true, holder: process.pid });
    expect(cli('inspect', log()).stdout).toMatch(new RegExp(`writer +process ${process.pid}\n`));
    await wal.close();
    const closed = facts(log());
    expect(closed).toMatchObject({ isLocked: false });
    expect(closed).not.toHaveProperty('holder');
    const { blocks, bsize } = statfsSync(log());
    expect(closed.availableBytes).toBeGreaterThan(0);
    expect(closed.availableBytes).toBeLessThanOrEqual(blocks * bsize);
    expect(cli('inspect', log()).stdout).toMatch(/writer +none\n {2}free on disk +[\d.]+ [KMGTP]iB\n/);
    expect(closed.files[0]!.mtimeMs).toBe(statSync(closed.files[0]!.path).mtimeMs);
  });

  test('names as JSON what the API has by the same names', () => {
    withWal(log(), (wal) => fill(wal, 50), SMALL_FILES);
    using reader = WalReader.open(log(), { tail: 'intact' });
    const { firstLsn, lastLsn, provedLsn, logId, files } = reader;
    expect(facts(log())).toMatchObject({ firstLsn, lastLsn, provedLsn, logId, files, path: log() });
  });

  test('says that a segment file is open', () => {
    const path = directory.path('file.seg');
    const writer = SegmentWriter.createSync(path, { size: 4096 });
    expect(cli('inspect', path).stdout).toMatch(/writer +a process has it open\n/);
    expect(facts(path)).toMatchObject({ isLocked: true, writeOffset: 0, remaining: writer.remaining });
    writer.closeSync();
    expect(cli('inspect', path).stdout).toMatch(/writer +none\n/);
  });

  test('shows the newest of many files, and says what is not proved to be on disk', () => {
    withWal(log(), (wal) => fill(wal, 2200), SMALL_FILES);
    const count = facts(log()).files.length;
    expect(count).toBeGreaterThan(40);
    const { stdout } = cli('inspect', log());
    expect(stdout.match(/wal-\d+\.log/g)).toHaveLength(40);
    expect(stdout).toMatch(new RegExp(`\n${count - 40} older files? (is|are) not shown; --json has all\n$`));
    expect(stdout).not.toContain('proved');
    // As after a kill: the proof of the last entries is missing.
    const script = `const { Wal } = require(${JSON.stringify(packageRoot)});
      const wal = Wal.openSync(${JSON.stringify(copy())}); wal.appendSync(Buffer.from('a')); process.kill(process.pid, 'SIGKILL');`;
    expect(spawnSync(process.execPath, ['-e', script]).status).not.toBe(0);
    expect(cli('inspect', copy()).stdout).toMatch(/LSN 1 to 1; none of them is proved to be on disk\n/);
    expect(cli('checkpoint', log(), '9999').stderr).toMatch(
      /there is no entry 9999; the entries are 1 to 2200/,
    );
  });

  test('writes nothing but text where it is no terminal', () => {
    withWal(log(), (wal) => fill(wal, 3));
    // Whatever the environment asks for.
    const env = { ...process.env, FORCE_COLOR: '3' };
    expect(
      execFileSync(process.execPath, [cliPath, 'inspect', log()], { encoding: 'utf8', env }),
    ).not.toContain('\x1b');
  });
});

test('colours are for terminals that have them', () => {
  expect(painter({})('red', 'x')).toBe('x');
  expect(painter({ isTTY: true, hasColors: () => false })('red', 'x')).toBe('x');
  expect(painter({ isTTY: true, hasColors: () => true })('red', 'x')).toBe('\x1b[31mx\x1b[39m');
});

test('an age is said in the largest unit that it is one of', () => {
  const day = 86_400_000;
  expect([-5, 0, 59_999, 60_000, 7_300_000, 3 * day].map(formatAge)).toEqual([
    'now',
    'now',
    '59 sec. ago',
    '1 min. ago',
    '2 hr. ago',
    '3 days ago',
  ]);
});

describe('watch', () => {
  test('is a line for each look, with what is new per second', () => {
    withWal(log(), (wal) => fill(wal, 7));
    WalCursor.openSync(log(), 'slow').closeSync();
    const seen = lines(cli('watch', '-n', '2', '-i', '1', log()).stdout);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatch(/^last LSN 7, 1 file of \d+ [KM]iB, cursor slow lags by 7, .* free on disk$/);
    expect(seen[1]).toMatch(/^last LSN 7, \+0\/s, /);
  });

  test('as JSON, for a segment file too', () => {
    const path = directory.path('file.seg');
    SegmentWriter.createSync(path, { size: 4096 }).closeSync();
    const seen = lines(cli('watch', '--json', '-n', '2', '-i', '1', path).stdout).map(
      (line) => JSON.parse(line) as object,
    );
    expect(seen).toEqual([
      expect.not.objectContaining({ perSecond: 0 }),
      expect.objectContaining({ kind: 'segment file', records: 0, perSecond: 0 }),
    ]);
    expect(cli('watch', '-i', '0', path)).toMatchObject({ status: 2, stdout: '' });
  });
});

test('--grep takes a regular expression, of the text that is shown', () => {
  withWal(log(), (wal) => {
    for (const entry of ['Tea', 'milk', 'tea\n2', Buffer.from([0xff, 0x10])])
      wal.write(Buffer.from(entry as string));
  });
  const matching = (...args: string[]): string[] => lines(cli('dump', log(), '--grep', ...args).stdout);
  expect(matching('tea')).toEqual([String.raw`3	tea\n2`]);
  expect(matching('^TEA', '--ignore-case')).toEqual(['1\tTea', String.raw`3	tea\n2`]);
  expect(matching('^0xff')).toEqual(['4\t0xff10']);
  expect(lines(cli('tail', '-n', '2', '--json', '--grep', 'tea', log()).stdout)).toEqual([
    '{"lsn":3,"text":"tea\\n2"}',
  ]);
  expect(cli('dump', log(), '--grep', '(')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/Invalid regular expression/) as string,
  });
});

test('what is misspelt is suggested', () => {
  withWal(log(), (wal) => fill(wal, 1));
  expect(cli('inpsect', log()).stderr).toMatch(/Did you mean inspect\?/);
  expect(cli('dump', '--gerp', 'x', log()).stderr).toMatch(/Did you mean --grep\?/);
});

describe('backup', () => {
  test('copies a log that no one has open', () => {
    withWal(log(), (wal) => fill(wal, 50), SMALL_FILES);
    expect(cli('backup', log(), copy())).toEqual({
      status: 0,
      stdout: `entries 1 to 50 were copied to ${copy()}, and are on disk there\n`,
      stderr: '',
    });
    expect(facts(copy()).logId).toBe(facts(log()).logId);
    withWal(copy(), (wal) => expectIntact(wal, 1, 50));
    expect(cli('backup', log(), copy())).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/exists already/) as string,
    });
  });

  test('of one that another process has open is for that process', () => {
    withWal(log(), (wal) => {
      fill(wal, 1);
      for (const [args, call] of [
        [['backup', log(), copy()], 'backup'],
        [['checkpoint', log(), '1', '--apply'], 'checkpoint'],
      ] as const) {
        const { status, stderr } = cli(...args);
        expect(status).toBe(2);
        expect(stderr).toMatch(new RegExp(`process ${process.pid} has the log open.*wal\\.${call}\\(`));
      }
    });
    expect(existsSync(copy())).toBe(false);
  });

  test('is for write-ahead logs', () => {
    const path = directory.path('file.seg');
    SegmentWriter.createSync(path, { size: 4096 }).closeSync();
    expect(cli('backup', path, copy())).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/this is a file; backup is for directories/) as string,
    });
    expect(cli('backup', copy(), log())).toMatchObject({ status: 2 });
    expect(existsSync(copy()) || existsSync(log())).toBe(false);
  });
});

describe('checkpoint', () => {
  test('says what would go, then drops it', () => {
    withWal(log(), (wal) => fill(wal, 200), SMALL_FILES);
    const files = facts(log()).files.length;
    expect(cli('checkpoint', log(), '150').stdout).toBe(
      'entries 1 to 150 would be dropped\nnothing was changed; --apply does it\n',
    );
    withWal(log(), (wal) => expectIntact(wal, 1, 200));
    expect(cli('checkpoint', log(), '150', '--apply').stdout).toMatch(
      /^150 entries were dropped: the log begins at 151 now\ndeleted: \d+ files?, /,
    );
    expect(facts(log()).files.length).toBeLessThan(files);
    withWal(log(), (wal) => expectIntact(wal, 151, 200));
    expect(cli('checkpoint', log(), '201', '--apply')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/there is no entry 201; the entries are 151 to 200/) as string,
    });
  });

  test('stops before cursors, unless it is forced', () => {
    withWal(log(), (wal) => fill(wal, 9));
    WalCursor.openSync(log(), 'billing').closeSync();
    expect(cli('checkpoint', log(), '5').stdout).toMatch(/it stops before the cursors billing \(next is 1\)/);
    expect(cli('checkpoint', log(), '5', '--apply').stdout).toMatch(/^0 entries were dropped/);
    expect(cli('checkpoint', log(), '5', '--apply', '--force').stdout).toMatch(/^5 entries were dropped/);
  });
});
