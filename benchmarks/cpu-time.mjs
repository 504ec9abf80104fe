// Processor time of the calling thread. Wall-clock time would charge a writer
// for the readers that share its cores.
import { readFileSync } from 'node:fs';

export const hasCpuTime = process.threadCpuUsage !== undefined || process.platform === 'linux';

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Nanoseconds that this thread has been on a processor. */
export function cpuTime() {
  if (process.threadCpuUsage !== undefined) {
    const { user, system } = process.threadCpuUsage();
    return (user + system) * 1000;
  }
  // Linux brings the figure of a running thread up to date once in a tick, that
  // is every 4 ms, and whenever the thread leaves the processor: so leave it.
  Atomics.wait(cell, 0, 0, 0.01);
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
}
