/** Files that are open: a log has thousands of files, and a process a limit. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync } from 'node:fs';

import { salvage, Wal, WalCursor, WalReader } from 'atomic-log';

import { packageRoot } from '../../../support/internals';
import { temporaryDirectory } from '../../../support/segments';
import { expectIntact, fill, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const onLinux = process.platform === 'linux' ? test : test.skip;
const openFiles = () => readdirSync('/proc/self/fd').length;
/** Some seventy entries of fill() are in a file. */
const ENTRIES = 8000;

onLinux('a log of hundreds of files has a few of them open, whoever reads it', () => {
  const before = openFiles();
  withWal(path(), (wal) => {
    fill(wal, ENTRIES);
    expect(wal.files.length).toBeGreaterThan(80);
    expectIntact(wal, 1, ENTRIES);
    using reader = WalReader.open(path());
    // What was synced just now is proved a moment later.
    while (reader.lastLsn < ENTRIES) reader.refresh();
    expectIntact(reader, 1, ENTRIES);
    for (const lsn of [1, ENTRIES, 5000, 7900, 2, 700]) expect(reader.get(lsn)!.lsn).toBe(wal.get(lsn)!.lsn);
    expect(openFiles() - before).toBeLessThan(14);
    expect([...salvage(path())]).toHaveLength(ENTRIES);
    expect(openFiles() - before).toBeLessThan(14);
  });
  expect(openFiles()).toBe(before);
});

onLinux('what a damaged log refuses has left no file open', () => {
  withWal(path(), (wal) => fill(wal, 500));
  appendFileSync(directory.path('log/wal-000001.log'), '\0');
  const before = openFiles();
  for (const open of [
    () => Wal.openSync(path()),
    () => WalReader.open(path()),
    () => WalReader.open(path(), { tail: 'intact' }),
    () => WalCursor.openSync(path(), 'billing'),
  ]) {
    expect(open).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/ERR_(CORRUPT|FORMAT)/) as string }),
    );
    expect(openFiles()).toBe(before);
  }
});

/** Runs in a process that may have few files open; `starve(work)` lets none be opened meanwhile. */
function withFewDescriptors(source: string): unknown {
  const prelude = `
    const { Wal, WalReader, SegmentWriter, salvage } = require(${JSON.stringify(packageRoot)});
    const { openSync, closeSync } = require('node:fs');
    const path = ${JSON.stringify(path())};
    const entry = Buffer.alloc(600, 7);
    const codeOf = (work) => { try { work(); return 'done'; } catch (error) { return error.code; } };
    function starve(work) {
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null')); } catch {}
      try { return work(); } finally { taken.forEach((each) => closeSync(each)); }
    }
  `;
  const limited = ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, '--eval', prelude + source];
  return JSON.parse(execFileSync('sh', limited, { cwd: packageRoot, encoding: 'utf8' }));
}

onLinux('a process that may open few files reads and writes a log of many', () => {
  expect(
    withFewDescriptors(`
      const wal = Wal.openSync(path, { segmentBytes: 8192 });
      for (let i = 0; i < 1200; ++i) wal.write(entry);
      const count = (entries) => { let n = 0; for (const each of entries) ++n; return n; };
      const found = [wal.files.length > 110, count(wal.entries()), count(wal.entries({ reverse: true }))];
      wal.closeSync();
      console.log(JSON.stringify([...found, count(WalReader.open(path).entries()), count(salvage(path))]));
    `),
  ).toEqual([true, 1200, 1200, 1200, 1200]);
});

onLinux('without a descriptor: an error that says so, and all goes on when there is one again', () => {
  withWal(path(), (wal) => fill(wal, 500));
  expect(
    withFewDescriptors(`
      const refused = [codeOf(() => starve(() => Wal.openSync(path))), codeOf(() => starve(() => WalReader.open(path))),
        codeOf(() => starve(() => [...salvage(path)]))];
      const wal = Wal.openSync(path);
      const reader = WalReader.open(path);
      const first = wal.lastLsn;
      const appended = [];
      for (let i = 0; i < 40; ++i) appended.push(codeOf(() => starve(() => wal.appendSync(entry))));
      refused.push(codeOf(() => starve(() => wal.get(1))), codeOf(() => starve(() => reader.get(1))));
      // With the file full, each of these needs another one.
      const truncation = codeOf(() => starve(() => wal.truncateAfterSync(wal.lastLsn - 1)));
      const checkpoint = codeOf(() => starve(() => wal.checkpointSync(wal.lastLsn)));
      const last = wal.lastLsn;
      const after = wal.appendSync(entry);
      reader.refresh();
      console.log(JSON.stringify({
        refused, appended: [...new Set(appended)], isDense: last === first + appended.filter((each) => each === 'done').length,
        after: after - last, truncation, checkpoint: ['done', 'ERR_TOO_MANY_FILES'].includes(checkpoint),
      }));
      wal.closeSync();
    `),
  ).toEqual({
    refused: Array<string>(5).fill('ERR_TOO_MANY_FILES'),
    appended: ['done', 'ERR_TOO_MANY_FILES'],
    isDense: true,
    after: 1,
    truncation: 'ERR_TOO_MANY_FILES',
    checkpoint: true,
  });
  withWal(path(), (wal) => expect(wal.recovery.action).not.toBe('truncated'));
});

onLinux('a segment file without a descriptor is not poisoned either', () => {
  expect(
    withFewDescriptors(`
      const writer = SegmentWriter.createSync(path + '.seg', { size: 1 << 16, headerSize: 600 });
      const header = Buffer.alloc(600, 1);
      const offsets = [1, 2, 3].map(() => writer.append(entry, header).offset);
      writer.syncSync();
      const codes = [
        codeOf(() => starve(() => writer.replaceHeaderSync(offsets[0], Buffer.alloc(600, 2)))),
        codeOf(() => starve(() => writer.setLengthSync(offsets[2]))),
      ];
      writer.replaceHeaderSync(offsets[0], Buffer.alloc(600, 2));
      writer.setLengthSync(offsets[2]);
      writer.append(entry, header);
      writer.syncSync();
      writer.closeSync();
      console.log(JSON.stringify(codes));
    `),
  ).toEqual(['ERR_TOO_MANY_FILES', 'ERR_TOO_MANY_FILES']);
});
