/** Copying a log while it is written. */
import type { NativeWalBackup } from '../types/native';
import { plainError } from './errors';
import { withDetails } from './segment-errors';
import { walError } from './wal-errors';

/** Codes of core/platform/io_status.h. */
const EXISTS = 2;

/** Makes the copy, a step of the thread pool after the other. */
export async function copyLog(backup: NativeWalBackup, target: string): Promise<void> {
  for (;;) {
    const step = backup.step();
    if (step === undefined) throw plainError('ERR_OUT_OF_MEMORY', 'the runtime cannot start the work');
    const result = await step;
    if (result > 0) continue;
    if (result === 0) return;
    const failure = backup.failure();
    if (failure.io !== EXISTS) throw walError(failure, { isOpen: false });
    throw withDetails(
      plainError('ERR_FILE_EXISTS', `${target} exists already; give another path, or move it`),
      { path: target },
    );
  }
}
