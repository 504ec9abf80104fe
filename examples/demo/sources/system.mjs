// @ts-check
import os from 'node:os';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

/** @typedef {import('./source.mjs').Source} Source */

const MIB = 2 ** 20;
const RATE = 100;
/** The system counts CPU time in ticks of about 10 ms, so a share needs many of them. */
const SLOW_GAUGES_MS = 250;
const LOOP_RESOLUTION_MS = 10;

/**
 * Samples this machine and this process.
 *
 * @returns {Source}
 */
export function openSystem() {
  const cores = watchCores();
  const loop = watchEventLoop();
  const garbage = watchGarbageCollection();
  let slowGauges = [...cores.read(), ...loop.read()];
  let slowAt = performance.now();

  const sample = () => {
    if (performance.now() - slowAt >= SLOW_GAUGES_MS) {
      slowAt = performance.now();
      slowGauges = [...cores.read(), ...loop.read()];
    }
    return [...slowGauges, ...readMemory(), ...garbage.read()];
  };
  return {
    label: `this machine (${os.hostname()}) and process`,
    fields: [...cores.fields, ...loop.fields, ...MEMORY_FIELDS, ...garbage.fields],
    leftOut: [],
    rate: RATE,
    fill(columns, count) {
      for (let row = 0; row < count; ++row) {
        const values = sample();
        for (let i = 0; i < columns.length; ++i) columns[i][row] = values[i];
      }
      return count;
    },
    close() {
      loop.close();
      garbage.close();
    },
  };
}

/** The busy share of each core, in percent since it was read last. */
function watchCores() {
  let last = os.cpus();
  return {
    fields: last.map((_, core) => `cpu${core}Percent`),
    read() {
      const now = os.cpus();
      const shares = last.map((before, core) => busyPercent(before.times, now[core]?.times ?? before.times));
      last = now;
      return shares;
    },
  };
}

/**
 * @param {os.CpuInfo['times']} before
 * @param {os.CpuInfo['times']} now
 * @returns {number}
 */
function busyPercent(before, now) {
  const idle = now.idle - before.idle;
  const busy = now.user + now.nice + now.sys + now.irq - before.user - before.nice - before.sys - before.irq;
  return busy + idle > 0 ? (100 * busy) / (busy + idle) : 0;
}

/** How late the event loop was since it was read last. */
function watchEventLoop() {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  histogram.enable();
  return {
    fields: ['loopDelayMs', 'loopDelayMaxMs'],
    read() {
      // The histogram holds the time between two firings of its timer, and it is empty right after a reset.
      const late = histogram.count > 0 ? [histogram.mean, histogram.max] : [0, 0];
      histogram.reset();
      return late.map((ns) => Math.max(0, ns / 1e6 - LOOP_RESOLUTION_MS));
    },
    close: () => histogram.disable(),
  };
}

const MEMORY_FIELDS = ['freeMiB', 'rssMiB', 'heapUsedMiB', 'externalMiB'];

function readMemory() {
  const { rss, heapUsed, external } = process.memoryUsage();
  return [os.freemem() / MIB, rss / MIB, heapUsed / MIB, external / MIB];
}

/** The garbage collections of this thread since they were read last. */
function watchGarbageCollection() {
  let count = 0;
  let milliseconds = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      ++count;
      milliseconds += duration;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return {
    fields: ['gcCount', 'gcMs'],
    read() {
      const values = [count, milliseconds];
      count = 0;
      milliseconds = 0;
      return values;
    },
    close: () => observer.disconnect(),
  };
}
