import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { packageRoot } from './internals';

/** The command, as package.json's `bin` names it. */
export const cliPath = join(packageRoot, 'dist/cli/main.js');

/** Only a hang takes so long, on a busy machine too. */
const TIMEOUT_MS = 100_000;

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const cli = (...args: string[]): CliResult => cliInTime(TIMEOUT_MS, ...args);

export function cliInTime(timeout: number, ...args: string[]): CliResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cliPath, ...args], {
    encoding: 'utf8',
    timeout,
  });
  return { status, stdout, stderr };
}

/** The same next to others: for several that do not depend on each other. */
export function cliLater(...args: string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [cliPath, ...args],
      { encoding: 'utf8', timeout: TIMEOUT_MS },
      (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** The same in a shell, which knows "$@" as the command, followed by `rest`. */
export function shell(rest: string, ...args: string[]): CliResult {
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `"$@" ${rest}`, 'sh', process.execPath, cliPath, ...args],
    { encoding: 'utf8', timeout: TIMEOUT_MS },
  );
  return { status, stdout, stderr };
}

export const lines = (text: string): string[] => text.trimEnd().split('\n');
