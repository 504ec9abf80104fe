import { execFileSync } from 'node:child_process';

import { packageRoot } from './internals';

/** Runs JavaScript in a process of its own, where `atomic-log` is the package under test; returns what it prints. */
export function runInChild(source: string): string {
  return runWith(['--eval', source]);
}

/** Runs a file in a process of its own; returns what it prints. */
export function runFileInChild(path: string): string {
  return runWith([path]);
}

function runWith(args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: packageRoot, encoding: 'utf8' }).trim();
}
