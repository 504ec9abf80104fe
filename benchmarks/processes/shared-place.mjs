// What the questions about logs that processes share have in common: where their files
// are, and how another process is started that opens one.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addon } from '../measure.mjs';

/** Where memory is a file system, so that the kernel writes no page to a disk meanwhile. */
const memoryDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const canShareLogs = process.platform === 'linux' && addon.canMapExternal();

/** Calls `use` with a directory of its own, for files in memory. */
export async function withMemoryDirectory(use) {
  const directory = mkdtempSync(join(memoryDirectory, 'atomic-log-bench-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Starts a module of this folder as another process, and waits until it has sent a message. */
export async function startProcess(name, args) {
  const child = fork(fileURLToPath(new URL(`./${name}`, import.meta.url)), args);
  await once(child, 'message');
  return child;
}
