// Import this before the package: it has the file's addon be one whose memory can
// be refused. It is built when it is missing or old, which takes some ten seconds.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import type { AtomicLogError, ErrorCode } from 'atomic-log';
import type { NativeAddon } from '../../types/native';

const root = join(__dirname, '..', '..');

/** The build is by g++ on Linux only. */
export const describeWithFaults: typeof describe = process.platform === 'linux' ? describe : describe.skip;

if (process.platform === 'linux') {
  const build = join(root, 'test', 'faults', 'build.mjs');
  process.env['ATOMIC_LOG_PREBUILD'] = execFileSync(process.execPath, [build], { encoding: 'utf8' }).trim();
}

interface FaultyAddon extends NativeAddon {
  /** The allocation after `count` more fails, once; returns how many of the count before were left. */
  refuseMemoryAfter(count: number): number;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- after the variable was set
const { addon } = require(join(root, 'dist', 'base', 'native.js')) as { addon: FaultyAddon };

const CODES: (ErrorCode | undefined)[] = ['ERR_OUT_OF_MEMORY', 'ERR_MAPPING_UNAVAILABLE'];

/**
 * Runs `run` while the allocation after `count` others fails. Returns the error,
 * which must be one of this package, or undefined when `run` needed no more.
 */
export async function refusing(count: number, run: () => unknown): Promise<AtomicLogError | undefined> {
  const { error, wasMet } = await refusingOne(count, run);
  expect({ error: error?.message, wasMet }).toEqual({ error: error?.message, wasMet: error !== undefined });
  return error;
}

/** The same where the code may do without what is refused; also tells whether anything was. */
export async function refusingOne(
  count: number,
  run: () => unknown,
): Promise<{ error: AtomicLogError | undefined; wasMet: boolean }> {
  addon.refuseMemoryAfter(count);
  let error: AtomicLogError | undefined;
  try {
    await run();
  } catch (thrown) {
    error = thrown as AtomicLogError;
  }
  const wasMet = addon.refuseMemoryAfter(-1) < 0;
  if (error !== undefined) expect(CODES).toContain(error.code);
  return { error, wasMet };
}

/** Bytes of blocks that have an owner. */
export function ownedBytes(): number {
  const { mapped, idle } = addon.blockUsage();
  return mapped - idle;
}
