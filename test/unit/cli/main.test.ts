import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { SegmentWriter, Wal, WalCursor } from 'atomic-log';

import { cli, cliPath, lines } from '../../support/cli';
import { temporaryDirectory } from '../../support/segments';
import { parseWalFile } from '../../support/wal-format';
import { expectIntact, fill, SMALL_FILES, withWal } from '../../support/wals';

const directory = temporaryDirectory();
const log = () => directory.path('log');

function words(count: number): void {
  withWal(log(), (wal) => {
    for (let i = 1; i <= count; ++i) wal.write(Buffer.from(`entry ${i}`));
  });
}

function damage(number: number, record: number): void {
  const file = join(log(), `wal-${String(number).padStart(6, '0')}.log`);
  const bytes = readFileSync(file);
  bytes[parseWalFile(bytes).records[record]!.offset + 45]! ^= 1;
  writeFileSync(file, bytes);
}

describe('a write-ahead log', () => {
  test('inspect', () => {
    words(200);
    const { status, stdout } = cli('inspect', '--json', log());
    expect(status).toBe(0);
    const facts = JSON.parse(stdout) as { lastLsn: number; files: { firstLsn: number; lastLsn: number }[] };
    expect(facts).toMatchObject({ kind: 'write-ahead log', firstLsn: 1, lastLsn: 200 });
    expect(facts.files.length).toBeGreaterThan(1);
    expect(facts.files.at(-1)!.lastLsn).toBe(200);
    expect(cli('inspect', log()).stdout).toMatch(/200: LSN 1 to 200[\s\S]*wal-000001\.log/);
  });

  test('inspect says how far its cursors are, who has them, and what is wrong', () => {
    words(20);
    expect(JSON.parse(cli('inspect', '--json', log()).stdout)).toMatchObject({ cursors: [] });
    expect(cli('inspect', log()).stdout).not.toMatch(/cursor|lag/);
    const at = withWal(log(), (wal) => wal.get(5)!.position);
    using open = WalCursor.openSync(log(), 'billing');
    open.commitSync(at);
    WalCursor.openSync(log(), 'new').closeSync();
    WalCursor.openSync(log(), 'torn').closeSync();
    const file = join(log(), 'cursors', 'cursor-torn');
    writeFileSync(file, 'torn');
    const { status, stdout } = cli('inspect', '--json', log());
    expect(status).toBe(0);
    const message = expect.stringMatching(/cursor-torn: the cursor is damaged.*deleteCursor/) as string;
    expect((JSON.parse(stdout) as { cursors: object[] }).cursors).toEqual([
      { name: 'billing', position: at, nextLsn: 6, lag: 15, holder: process.pid },
      { name: 'new', nextLsn: 1, lag: 20 },
      { name: 'torn', error: { code: 'ERR_CURSOR_DAMAGED', message } },
    ]);
    expect(cli('inspect', log()).stdout).toMatch(
      /next LSN.*lag.*holder[^]*billing.* 6 .* 15 [^]*new[^]*torn.*ERR_CURSOR_DAMAGED[^]*\n\S.*cursor-torn: the cursor is damaged/,
    );
    // One that cannot be read at all is named, beside the others.
    rmSync(file);
    mkdirSync(file);
    const { cursors } = JSON.parse(cli('inspect', '--json', log()).stdout) as { cursors: object[] };
    expect(cursors).toEqual([
      expect.objectContaining({ name: 'billing', lag: 15 }),
      expect.objectContaining({ name: 'new', lag: 20 }),
      {
        name: 'torn',
        error: { code: 'ERR_FILE_ACCESS', message: expect.stringMatching(/cursor-torn/) as string },
      },
    ]);
    // What only lists entries does not need them.
    expect(lines(cli('tail', '-n', '1', log()).stdout)).toEqual(['20\tentry 20']);
  });

  test('dump as text, JSON lines and raw, within bounds', () => {
    words(20);
    expect(lines(cli('dump', log(), '--from', '3', '--to', '5').stdout)).toEqual([
      '3\tentry 3',
      '4\tentry 4',
      '5\tentry 5',
    ]);
    withWal(log(), (wal) => wal.write(Buffer.from([0xff, 0x00])));
    expect(
      lines(cli('dump', log(), '--from', '20', '--format', 'json').stdout).map(
        (line) => JSON.parse(line) as object,
      ),
    ).toEqual([
      { lsn: 20, text: 'entry 20' },
      { lsn: 21, base64: '/wA=' },
    ]);
    expect(cli('dump', log(), '--to', '2', '--format', 'raw').stdout).toBe('entry 1entry 2');
  });

  test('tail, and tail -f', async () => {
    words(20);
    expect(lines(cli('tail', '-n', '2', log()).stdout)).toEqual(['19\tentry 19', '20\tentry 20']);
    const wal = await Wal.open(log());
    const child = spawn(process.execPath, [cliPath, 'tail', '-n', '1', '-f', log()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const seen: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      seen.push(line);
      if (seen.length === 1) await Promise.all([1, 2].map((i) => wal.append(Buffer.from(`new ${i}`))));
      if (seen.length === 3) break;
    }
    child.kill();
    expect(seen).toEqual(['20\tentry 20', '21\tnew 1', '22\tnew 2']);
    await wal.close();
  });

  test('tail -f ends when the directory is replaced, and says so', async () => {
    words(5);
    const child = spawn(process.execPath, [cliPath, 'tail', '-n', '1', '-f', log()]);
    let [printed, complaint] = ['', ''];
    child.stdout.on('data', (text) => (printed += String(text)));
    child.stderr.on('data', (text) => (complaint += String(text)));
    const ended = new Promise((resolve) => child.once('close', resolve));
    while (!printed.includes('entry 5')) await new Promise((resolve) => setTimeout(resolve, 10));
    renameSync(log(), directory.path('old'));
    words(9);
    expect(await ended).toBe(2);
    expect(complaint).toMatch(/replaced by another one.*open it again/);
  });

  test('verify says what is damaged, by its exit status too', () => {
    words(200);
    expect(cli('verify', log())).toMatchObject({ status: 0, stdout: '200 entries, then a clean end\n' });
    damage(1, 5);
    const { status, stdout } = cli('verify', log());
    expect(status).toBe(1);
    expect(stdout).toMatch(/damaged: .*wal-000001\.log[\s\S]*lost: entries 5 to 5/);
    expect(JSON.parse(cli('verify', '--json', log()).stdout)).toMatchObject({
      isSound: false,
      lost: [{ from: 5, to: 5 }],
    });
  });

  test('repair shows what it would do, then does it, and deletes nothing', () => {
    words(200);
    expect(cli('repair', log())).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/sound/) as string,
    });
    damage(1, 5);
    const before = readFileSync(join(log(), 'wal-000001.log'));
    const dry = cli('repair', log());
    expect(dry.status).toBe(1);
    expect(dry.stdout).toMatch(/lost: entries 5 to 5[\s\S]*nothing was changed/);
    expect(existsSync(`${log()}.repaired`)).toBe(false);
    const done = cli('repair', '--apply', log());
    expect(done).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/199 entries were copied to .*; entries from 6/) as string,
    });
    expect(readFileSync(join(log(), 'wal-000001.log')).equals(before)).toBe(true);
    withWal(`${log()}.repaired`, (wal) => {
      expect(wal.lastLsn).toBe(199);
      expect(Buffer.from(wal.get(5)!.data).toString()).toBe('entry 6');
    });
    expect(cli('repair', '--apply', log())).toMatchObject({ status: 2 });
  });

  test('repair quarantines a torn tail', () => {
    withWal(log(), (wal) => fill(wal, 5), SMALL_FILES);
    const file = join(log(), 'wal-000001.log');
    const bytes = readFileSync(file);
    const { end } = parseWalFile(bytes);
    bytes.fill(0xab, end, end + 60);
    writeFileSync(file, bytes);
    expect(cli('verify', log())).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/torn/) as string,
    });
    expect(cli('repair', log()).stdout).toMatch(/nothing was changed/);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(cli('repair', '--apply', log()).stdout).toMatch(/60 bytes were moved to .*\.torn-1/);
    withWal(log(), (wal) => expectIntact(wal, 1, 5));
  });
});

test('a segment file', () => {
  const path = directory.path('file.seg');
  const writer = SegmentWriter.createSync(path, { size: 4096, headerSize: 2 });
  const offsets = ['one', 'two', 'three'].map(
    (text, i) => writer.append(Buffer.from(text), Uint8Array.of(i, 7)).offset,
  );
  writer.closeSync();
  const as = ['--header-size', '2'];
  expect(lines(cli('dump', ...as, path).stdout)).toEqual(
    ['one', 'two', 'three'].map((text, i) => `${offsets[i]}\t${text}`),
  );
  expect(JSON.parse(lines(cli('tail', ...as, '-n', '1', '--format', 'json', path).stdout)[0]!)).toEqual({
    offset: offsets[2],
    header: 'Agc=',
    text: 'three',
  });
  expect(cli('inspect', ...as, path).stdout).toMatch(
    /^segment file .*\n {2}records +3, [^]*size +4 KiB \(4,096 bytes\)/,
  );
  expect(cli('verify', ...as, path)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^3 records/) as string,
  });
  const bytes = readFileSync(path);
  bytes[offsets[1]! + 11]! ^= 1;
  writeFileSync(path, bytes);
  expect(cli('verify', ...as, path)).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/^1 intact record\ndamaged/) as string,
  });
  expect(cli('repair', ...as, path).stdout).toMatch(/nothing was changed/);
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(cli('repair', ...as, '--apply', '--drop-intact', path).stdout).toMatch(/moved to .*\.torn-1/);
  expect(cli('verify', ...as, path).status).toBe(0);
});

test('wrong calls say so, with status 2', () => {
  expect(cli('inspect', directory.path('none'))).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/no such file/) as string,
  });
  expect(cli('verify')).toMatchObject({ status: 2 });
  expect(cli('polish', '.')).toMatchObject({ status: 2 });
  expect(cli('dump', '--from', 'x', '.')).toMatchObject({ status: 2 });
  expect(cli('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/inspect[\s\S]*repair/) as string,
  });
});
