/** What others do to a segment file, and what the system refuses; docs/segments.md has the table of all faults. */
import { spawnSync } from 'node:child_process';
import { truncateSync } from 'node:fs';

import { SegmentReader, SegmentWriter } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { packageRoot } from '../../../support/internals';
import { isShared } from '../../../support/mapping';
import { payload, temporaryDirectory } from '../../../support/segments';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');
const onLinux = process.platform === 'linux' ? test : test.skip;
const SIZE = 256 * 1024;

/** Of two records; the second begins where the result says, pages after the first. */
function makeFile(): number {
  using writer = SegmentWriter.createSync(file(), { size: SIZE });
  writer.append(payload(1, 100_000));
  const { offset } = writer.append(payload(2, 100));
  writer.syncSync();
  return offset;
}

/** In a process that may have few files open. */
const run = (script: string) =>
  spawnSync(
    'sh',
    [
      ...['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, '--eval'],
      `const { SegmentReader, SegmentWriter } = require(${JSON.stringify(packageRoot)});
       const fs = require('node:fs');
       const path = ${JSON.stringify(file())};
       ${script}`,
    ],
    { encoding: 'utf8' },
  );

describe('a file that someone shortens', () => {
  // Windows lets no one shorten what is mapped, and opens what is read for no one who would.
  onLinux("is an error where it is read with 'pread', and the reader goes on", () => {
    const second = makeFile();
    using reader = SegmentReader.open(file(), { mode: 'pread' });
    truncateSync(file(), 1 << 16);
    expectError(() => reader.read(second), 'ERR_CHECKSUM_MISMATCH', /no intact record/);
    expectError(() => reader.read(0), 'ERR_CHECKSUM_MISMATCH', /no intact record/);
    truncateSync(file(), 0);
    expectError(() => reader.read(0), 'ERR_CHECKSUM_MISMATCH', /no intact record/);
  });

  (isShared ? test.skip : onLinux)('ends the process that reads there where it is mapped', () => {
    const second = makeFile();
    const { signal, status, stdout } = run(`
      const reader = SegmentReader.open(path);
      fs.truncateSync(path, 4096);
      console.log('shortened');
      console.log(reader.read(${second}).length);`);
    expect(stdout).toBe('shortened\n');
    // Sanitizers catch the signal, and end the process themselves.
    expect(signal === 'SIGBUS' || status !== 0).toBe(true);
  });
});

onLinux('no more files may be opened: an error that has changed nothing', () => {
  makeFile();
  const { stdout, stderr } = run(`
    const codeOf = (work) => { try { work(); return 'done'; } catch ({ code }) { return code; } };
    const reader = SegmentReader.open(path);
    const taken = [];
    try { for (;;) taken.push(fs.openSync('/dev/null')); } catch {}
    const codes = [
      () => SegmentReader.open(path),
      () => SegmentWriter.openSync(path),
      () => SegmentWriter.createSync(path + '2', { size: 4096 }),
    ].map(codeOf);
    const opened = reader.read(0).length;
    for (const descriptor of taken) fs.closeSync(descriptor);
    const writer = SegmentWriter.openSync(path);
    console.log(JSON.stringify({ codes, opened, records: writer.recovery.records, left: fs.existsSync(path + '2') }));`);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    codes: Array(3).fill('ERR_TOO_MANY_FILES'),
    opened: 100_008,
    records: 2,
    left: false,
  });
});
