// The kill loop of `atomic-log torture`; test/crash/kill.test.ts has more kills.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { cli, cliPath, lines } from '../../support/cli';
import { packageRoot } from '../../support/internals';
import { runtime } from '../../support/runtime';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('disk');

interface Report {
  isSound: boolean;
  kills: number;
  comparisons: number;
  acknowledgedLsn: number;
  entriesCompared: number;
  errors: string[];
  syncs?: { count: number; medianMs: number; maxMs: number; histogram: { upToMs: number; count: number }[] };
}

test('kills, compares, says what it saw, and leaves nothing behind', () => {
  const { status, stdout, stderr } = cli('torture', path(), '--kills', '4', '--seed', '1', '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({
    path: path(),
    isSound: true,
    seed: 1,
    kills: 4,
    comparisons: 2,
    errors: [],
  });
  expect(report.acknowledgedLsn).toBeGreaterThan(0);
  expect(report.entriesCompared).toBeGreaterThan(0);
  if (report.syncs !== undefined) {
    const { count, medianMs, maxMs, histogram } = report.syncs;
    expect(histogram.reduce((sum, bar) => sum + bar.count, 0)).toBe(count);
    expect(medianMs).toBeLessThanOrEqual(maxMs);
    const ends = histogram.map(({ upToMs }) => upToMs);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
  }
  expect(existsSync(path())).toBe(false);
});

test('an empty directory stays, and is empty again; people read how much was seen', () => {
  mkdirSync(path());
  const { status, stdout } = cli('torture', path(), '--kills', '1', '--seed', '2');
  expect(status).toBe(0);
  const [first, second, ...rest] = lines(stdout);
  expect(first).toMatch(/^1 kill in [\d.]+ s \(--seed 2\); the log was opened and compared 1 time, /);
  expect(second).toMatch(/^nothing is missing of \d+ entr(y|ies) that were acknowledged$/);
  expect(rest.at(-1)).toMatch(/does not show what a loss of power would/);
  expect(readdirSync(path())).toEqual([]);
});

test('the writer waits for one who does not read what it says', async () => {
  mkdirSync(path());
  const writer = spawn(process.execPath, [cliPath, 'torture-writer', join(path(), 'log'), '1', 'system'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(writer, 'close');
  // Until the pipe is full.
  await delay(1000);
  let said = 0;
  writer.stdout.on('data', (data: Buffer) => {
    said += data.length;
    if (said > 1 << 18) writer.kill('SIGKILL');
  });
  await closed;
  expect(said).toBeGreaterThan(1 << 18);
});

test('a directory with something in it is refused, and stays as it is', () => {
  mkdirSync(path());
  writeFileSync(join(path(), 'mine'), 'x');
  const { status, stderr } = cli('torture', path(), '--kills', '1');
  expect(status).toBe(2);
  expect(stderr).toMatch(/this directory is not empty; name one that is, or that is not there yet/);
  expect(readdirSync(path())).toEqual(['mine']);
});

/** Runs the command with the library changed by `source`, where `Wal` is at hand. */
function changed(source: string, ...args: string[]) {
  const patch = directory.path('patch.cjs');
  writeFileSync(patch, `const { Wal } = require(${JSON.stringify(packageRoot)});\n${source}\n`);
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--require', patch, cliPath, 'torture', path(), ...args],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return { status, stdout };
}

// Deno and Bun load what comes first in other ways.
const onNode = runtime === 'node' ? test : test.skip;

onNode('acknowledged entries that are gone make it red, and the log stays', () => {
  const { status, stdout } = changed(
    `if (process.argv[2] === 'torture') {
       const { openSync } = Wal;
       Wal.openSync = (...args) => {
         const wal = openSync.apply(Wal, args);
         wal.truncateAfterSync(wal.firstLsn);
         return wal;
       };
     }`,
    ...['--kills', '30', '--seed', '4', '--json'],
  );
  expect(status).toBe(1);
  const report = JSON.parse(stdout) as Report;
  expect(report.isSound).toBe(false);
  expect(report.errors).toEqual([
    expect.stringMatching(/^entry \d+ was acknowledged, and the log ends at \d+$/) as string,
  ]);
  expect(existsSync(join(path(), 'log'))).toBe(true);
});

onNode('so do other bytes than were appended', () => {
  const { status, stdout } = changed(
    `if (process.argv[2] === 'torture-writer') {
       const { appendSync, appendBatch, append, write } = Wal.prototype;
       const spoil = (bytes) => Buffer.from(bytes).fill(255, 8);
       Object.assign(Wal.prototype, {
         appendSync(bytes, options) { return appendSync.call(this, spoil(bytes), options); },
         append(bytes, options) { return append.call(this, spoil(bytes), options); },
         write(bytes) { return write.call(this, spoil(bytes)); },
         appendBatch(all, options) { return appendBatch.call(this, all.map(spoil), options); },
       });
     }`,
    ...['--kills', '30', '--seed', '4', '--json'],
  );
  expect(status).toBe(1);
  expect((JSON.parse(stdout) as Report).errors).toEqual([
    expect.stringMatching(/^entry \d+ has other bytes than were appended$/) as string,
  ]);
});

onNode('and a writer that ends by itself', () => {
  const { status, stdout } = changed(
    `if (process.argv[2] === 'torture-writer') process.exit(7);`,
    ...['--kills', '3', '--json'],
  );
  expect(status).toBe(1);
  expect((JSON.parse(stdout) as Report).errors).toEqual(['the writer ended by itself, with exit status 7']);
});

onNode('an interrupt ends it with the report', async () => {
  const child = spawn(process.execPath, [cliPath, 'torture', path(), '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let stdout = '';
  child.stdout.on('data', (text) => (stdout += String(text)));
  while (!existsSync(join(path(), 'log'))) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(JSON.parse(stdout) as Report).toMatchObject({ isSound: true });
  expect(existsSync(path())).toBe(false);
});
