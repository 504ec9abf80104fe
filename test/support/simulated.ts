// Import this before the package: its write-ahead logs are then on a simulated disk, from which the power can be taken
// at any operation. The addon is built when it is missing or old, which takes some seconds.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import type { NativeAddon } from '../../types/native';

const root = join(__dirname, '..', '..');

/** The build is by g++ on Linux only. */
export const describeOnDisk: typeof describe = process.platform === 'linux' ? describe : describe.skip;

if (process.platform === 'linux') {
  const build = join(root, 'test', 'simulated', 'build.mjs');
  process.env['ATOMIC_LOG_PREBUILD'] = execFileSync(process.execPath, [build], { encoding: 'utf8' }).trim();
}

/** What happens at an operation: it fails once, it and all after it fail, or the power is off. */
export const Fault = { none: 0, once: 1, forever: 2, powerOff: 3 } as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

export interface SimulatedDisk {
  /** A new disk, with nothing on it. */
  beginDisk(): void;
  /** The operation after `number` others. */
  failDiskAt(number: number, fault: Fault): void;
  /** Since the last failDiskAt(). */
  diskOperations(): number;
  diskHasPower(): boolean;
  setDiskFull(isFull: boolean): void;
  /** The disk as it is found after the process was killed or, `loses`, after the loss of power. */
  restartDisk(seed: number, loses: boolean): void;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- after the variable was set
export const { addon: disk } = require(join(root, 'dist', 'base', 'native.js')) as {
  addon: NativeAddon & SimulatedDisk;
};
