/** Write-ahead logs on a disk that is full: a small one, which the log and a ballast fill. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../support/internals';
import { runtime } from '../support/runtime';
import { temporaryDirectory } from '../support/segments';

const directory = temporaryDirectory();

function onSmallDisk(program: readonly string[]) {
  const place = directory.path('mnt');
  mkdirSync(place, { recursive: true });
  return spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', 'mount -t tmpfs -o size=1m none "$0" && cd "$0" && exec "$@"', place, ...program],
    { encoding: 'utf8' },
  );
}

const canMount = process.platform === 'linux' && runtime === 'node' && onSmallDisk(['true']).status === 0;

// Mounting needs root, and a place of its own for mounts, which unshare makes.
const testOnSmallDisk = canMount ? test.each : test.skip.each;

const program = join(__dirname, 'full-disk.cjs');

testOnSmallDisk([
  ['one file that holds all', 450_560, 4000, 'given'],
  ['one file, its length not given again', 450_560, 8, 'kept'],
  ['two files', 200_704, 30_000, 'kept'],
  ['many small files', 8192, 700, 'given'],
  ['many small files, their length not given again', 12_288, 7000, 'kept'],
])('%s (needs root and unshare)', (_what, segmentBytes, entryBytes, reopened) => {
  for (const freed of ['all', 'newest', 'half']) {
    const { stdout, stderr, status } = onSmallDisk([
      process.execPath,
      program,
      packageRoot,
      String(segmentBytes),
      String(entryBytes),
      reopened,
      freed,
    ]);
    expect(stderr).toBe('');
    expect(stdout).toBe('as it was\n');
    expect(status).toBe(0);
  }
});
