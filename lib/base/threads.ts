/**
 * Which thread this is. `node:worker_threads` is loaded when that is first asked
 * for: with the streams that it loads, it is a sixth of loading the package.
 */
import type * as WorkerThreads from 'node:worker_threads';

import { addon } from './native';

let loaded: typeof WorkerThreads | undefined;

export function workerThreads(): typeof WorkerThreads {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is for those that can wait
  return (loaded ??= require('node:worker_threads') as typeof WorkerThreads);
}

export const isMainThread = (): boolean => workerThreads().isMainThread;

let isKnown = false;

/** Tells the addon which thread this is; before a log is made or attached to, whose statistics name it. */
export function introduceThread(): void {
  if (isKnown) return;
  addon.setThreadId(workerThreads().threadId);
  isKnown = true;
}
