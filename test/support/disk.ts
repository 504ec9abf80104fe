// A real ext4 in a file, and what is on it at one moment: what the system still had in its cache is lost,
// as it is when the power goes.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { runtime } from './runtime';

const DISK_BYTES = 32 << 20;

/** Runs the rest with the disk mounted, in a namespace that is gone with the process. */
export const mounted = (disk: string, path: string): string[] => [
  '--mount',
  'sh',
  '-c',
  'mount -t ext4 -o loop "$1" "$2" && shift 2 && exec "$@"',
  'sh',
  disk,
  path,
];

export function makeDisk(path: string): boolean {
  writeFileSync(path, '');
  truncateSync(path, DISK_BYTES);
  return spawnSync('mkfs.ext4', ['-q', '-F', path]).status === 0;
}

/** What the device has written so far, and what is on its way. */
function activity(disk: string): string {
  const device = execFileSync('losetup', ['--noheadings', '--output', 'NAME', '--associated', disk], {
    encoding: 'utf8',
  });
  const counters = readFileSync(`/sys/block/${basename(device.trim())}/stat`, 'utf8')
    .trim()
    .split(/\s+/);
  return [counters[4], counters[8]].join(' ');
}

/** Copies the disk at one moment: nothing is written to it meanwhile. */
export async function copyDisk(disk: string, copy: string): Promise<void> {
  for (;;) {
    const before = activity(disk);
    copyFileSync(disk, copy);
    if (before.endsWith(' 0') && activity(disk) === before) return;
    await delay(5);
  }
}

export async function isStopped(pid: number): Promise<void> {
  while (!readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T ')) await delay(1);
}

/** As root, with mkfs.ext4 and loop devices. */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || runtime !== 'node') return false;
  const probe = join('/tmp', `atomic-log-probe-${process.pid}`);
  try {
    if (!makeDisk(probe)) return false;
    const script = 'mount -t ext4 -o loop "$0" /mnt';
    return spawnSync('unshare', ['--mount', 'sh', '-c', script, probe]).status === 0;
  } finally {
    rmSync(probe, { force: true });
  }
}
