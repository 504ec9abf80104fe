// Under which conditions a run was made: without them its figures say nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { relative, resolve } from 'node:path';
import { root } from './measure.mjs';

/** Where the questions about durability write. */
const benchDirectory = resolve(process.env.BENCH_DIR ?? tmpdir());

/** What a program prints; undefined where there is no such program. */
function output(program, ...args) {
  try {
    return execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

const isInside = (path, directory) => !relative(directory, path).startsWith('..');

/** Type and options of the file system that has the folder; on Linux only. */
function fileSystem(folder) {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, place]) => isInside(folder, place));
    const [device, , type, options] = mounts.sort(([, a], [, b]) => b.length - a.length)[0];
    return `${type} on ${device} (${options})`;
  } catch {
    return 'unknown file system';
  }
}

/** The commit that was measured, and whether what was measured differs from it. */
function commit() {
  const name = output('git', 'rev-parse', '--short', 'HEAD')?.trim();
  if (name === undefined) return 'unknown commit';
  return output('git', 'status', '--porcelain', '--untracked-files=no') === '' ? name : `${name}, changed`;
}

/**
 * Lines for the head of a report.
 *
 * @param {string[]} peers names and versions of those that are installed
 */
export function conditions(peers = []) {
  const [cpu] = cpus();
  return [
    ['date', new Date().toISOString().slice(0, 10)],
    ['commit', commit()],
    [
      'machine',
      `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    ],
    ['system', `${process.platform}-${process.arch}, kernel ${release()}`],
    ['disk of the durable rows', fileSystem(benchDirectory)],
    ['runtime', `Node ${process.version} (V8 ${process.versions.v8})`],
    ...(peers.length === 0 ? [] : [['peers', peers.join(', ')]]),
  ];
}
