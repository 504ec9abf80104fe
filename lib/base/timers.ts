/**
 * Timers, microtasks and the clock of the runtime itself, taken once when the
 * package is loaded.
 *
 * Fake timers of test frameworks replace the globals, and some the functions of
 * `node:timers`, at any time later: a commit or a follower that looked them up at
 * each call would hang until the test turns the clock. Some environments (jest's
 * jsdom) do not have all of the globals either. A lint rule keeps this the only
 * place.
 */
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';

import { workerThreads } from './threads';

export const { clearTimeout, setImmediate, setInterval, setTimeout } = timers;

/** Milliseconds since some moment; never goes back. */
export const now: () => number = performance.now.bind(performance);

const resolved = Promise.resolve();

/** Runs `task`, which must not throw, when the current microtask is done. */
export function queueMicrotask(task: () => void): void {
  void resolved.then(task);
}

function cloneByPort<T>(value: T): T {
  const { MessageChannel, receiveMessageOnPort } = workerThreads();
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(value);
    return (receiveMessageOnPort(port2) as { message: T }).message;
  } finally {
    port1.close();
  }
}

/** As the global of that name, which jest's jsdom environment lacks. */
export const structuredClone: <T>(value: T) => T =
  // Looked at as something that may be missing.
  (globalThis as { structuredClone?: <T>(value: T) => T }).structuredClone ?? cloneByPort;
