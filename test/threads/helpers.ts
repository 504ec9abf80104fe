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

interface Deferred {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

function deferred(): Deferred {
  let resolve!: Deferred['resolve'];
  let reject!: Deferred['reject'];
  const promise = new Promise((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

/** The next message; rejects when the worker ends without one. */
export function firstMessage(worker: Worker): Promise<unknown> {
  const { promise, resolve, reject } = deferred();
  const onExit = (code: number): void => reject(new Error(`the worker ended with ${code} and no message`));
  worker.once('message', resolve).once('error', reject).once('exit', onExit);
  // A worker may be asked for many messages, and an emitter warns of many listeners.
  return promise.finally(() => worker.off('message', resolve).off('error', reject).off('exit', onExit));
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
