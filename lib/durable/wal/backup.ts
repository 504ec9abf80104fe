/** Copying a log while it is written. */
import { BackupStep, IoCode } from '../../base/codes';
import { basename } from 'node:path';

import type { NativeWalBackup } from '../../../types/native';
import { describe, plainError, typeError } from '../../base/errors';
import { withDetails } from '../errors';
import { checkPath } from '../options';
import type { WalCore } from './core';
import { walError } from './errors';

/** Names that a log gives to its own files: a directory of that name would be in its way. */
const ownName = /^(LOCK|wal-\d+\.log(\.new)?)$/i;

/** Where a copy may be made. */
function checkTarget(directory: unknown): string {
  const path = checkPath(directory, 'directory');
  const name = basename(path);
  if (ownName.test(name)) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `directory must not have a name that logs give to their files; got ${describe(name)}`,
    );
  }
  // Without what may follow the name: other names begin with this one.
  return name === '' ? path : path.slice(0, path.lastIndexOf(name) + name.length);
}

/** Copies what was appended before it is called. The committer makes that durable first, in the order of the calls. */
export async function backUp(core: WalCore, directory: unknown): Promise<void> {
  const target = checkTarget(directory);
  core.checkOpen();
  const begun = core.queue.backUp(target);
  core.waiting();
  await copyLog(await begun, target);
}

/** Makes the copy, a step of the thread pool after the other. */
async function copyLog(backup: NativeWalBackup, target: string): Promise<void> {
  for (;;) {
    const step = backup.step();
    if (step === undefined) throw plainError('ERR_OUT_OF_MEMORY', 'the runtime cannot start the work');
    const result = await step;
    if (result === BackupStep.more) continue;
    if (result === BackupStep.done) return;
    const failure = backup.failure();
    if (failure.io !== IoCode.exists) throw walError(failure, { isOpen: false });
    throw withDetails(
      plainError('ERR_FILE_EXISTS', `${target} exists already; give another path, or move it`),
      { path: target },
    );
  }
}
