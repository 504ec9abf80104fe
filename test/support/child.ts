import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageRoot } from './internals';

/** Runs JavaScript in a process of its own, where `atomic-log` is the package under test; returns what it prints. */
export function runInChild(source: string): string {
  return runWith(['--eval', source]);
}

/** Runs a file in a process of its own; returns what it prints. */
export function runFileInChild(path: string): string {
  return runWith([path]);
}

/** Runs an ES module, which imports by URL, in a process of its own: from a file, because not every runtime takes one as an argument. */
export function runModuleInChild(source: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'module-'));
  try {
    const path = join(directory, 'main.mjs');
    writeFileSync(path, source);
    return runFileInChild(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function runWith(args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: packageRoot, encoding: 'utf8' }).trim();
}
