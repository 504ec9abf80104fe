import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { has } from '../support/runtime';

/** What entry `index` holds, as in worker.cjs. */
export const valueOf = (index: number): number => (index * 2654435761) % 4294967296;

/** Listened for from the start: a worker may have ended before a test asks. */
const exits = new WeakMap<Worker, Promise<number>>();

export function startWorker(role: string, data: object): Worker {
  const worker = new Worker(join(__dirname, 'worker.cjs'), { workerData: { role, ...data } });
  // A worker that fails on purpose must not fail the test; those that must not
  // fail are asked for their exit code or for a message.
  worker.on('error', () => {});
  exits.set(worker, new Promise((resolve) => worker.once('exit', resolve)));
  return worker;
}

/** The next message; rejects when the worker ends without one. */
export function firstMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker ended with ${code} and no message`)));
  });
}

/** The exit code, whether or not the worker failed. */
export function ended(worker: Worker): Promise<number> {
  return exits.get(worker)!;
}

/**
 * Waits until terminated workers have given back what they held. On runtimes
 * that tell of a worker's end only after its teardown, that is so at once, and
 * nothing is waited for.
 */
export async function tornDown(isGivenBack: () => boolean): Promise<void> {
  if (has('teardown before exit')) return;
  // For a while: a worker that still runs may take what it has just given back.
  for (let i = 0, steady = 0; i < 1000 && steady < 20; ++i) {
    steady = isGivenBack() ? steady + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Runs a script in a process of its own, from the package's root; returns what it prints. */
export function runScript(script: string): string {
  return execFileSync(process.execPath, ['-e', script], {
    cwd: join(__dirname, '..', '..'),
    encoding: 'utf8',
  });
}
