import { execFileSync } from 'node:child_process';

import { packageRoot } from './internals';

/** Runs JavaScript in a process of its own, where `atomic-log` is the package under test; returns what it prints. */
export function runInChild(source: string, type: 'commonjs' | 'module' = 'commonjs'): string {
  const flags = type === 'module' ? ['--input-type=module'] : [];
  return execFileSync(process.execPath, [...flags, '--eval', source], {
    cwd: packageRoot,
    encoding: 'utf8',
  }).trim();
}
