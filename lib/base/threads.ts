/**
 * The runtime's module of threads, loaded when it is first asked for: with the
 * streams that it loads, it is a sixth of loading the package.
 */
import type * as WorkerThreads from 'node:worker_threads';

let loaded: typeof WorkerThreads | undefined;

export function workerThreads(): typeof WorkerThreads {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is for those that can wait
  return (loaded ??= require('node:worker_threads') as typeof WorkerThreads);
}

export const isMainThread = (): boolean => workerThreads().isMainThread;
