// @ts-check
import os from 'node:os';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

/** @typedef {import('./source.mjs').Source} Source */

const MIB = 2 ** 20;
const RATE = 10_000;
/** To ask the system takes tens of microseconds: not for each record. */
const GAUGES_MS = 10;
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
  const slowGauges = gauges(SLOW_GAUGES_MS, () => [...cores.read(), ...loop.read()]);
  const fastGauges = gauges(GAUGES_MS, () => [...readMemory(), ...garbage.read()]);
  const sample = (/** @type {number} */ now) => [...fastGauges(now), ...slowGauges(now)];
  return {
    label: `this machine (${os.hostname()}) and process`,
    fields: [...MEMORY_FIELDS, ...garbage.fields, ...cores.fields, ...loop.fields],
    leftOut: [],
    rate: RATE,
    fill(columns, count) {
      // Rows that are asked for together are of one moment.
      const values = sample(performance.now());
      for (let i = 0; i < columns.length; ++i) columns[i].fill(values[i], 0, count);
      return count;
    },
    close() {
      loop.close();
      garbage.close();
    },
  };
}

/**
 * Values that are read again when they are older than so many milliseconds.
 *
 * @param {number} ms
 * @param {() => number[]} read
 * @returns {(now: number) => number[]}
 */
function gauges(ms, read) {
  let values = read();
  let readAt = performance.now();
  return (now) => {
    if (now - readAt >= ms) {
      readAt = now;
      values = read();
    }
    return values;
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

const MEMORY_FIELDS = ['heapUsedMiB', 'rssMiB', 'externalMiB', 'freeMiB'];

function readMemory() {
  const { rss, heapUsed, external } = process.memoryUsage();
  return [heapUsed / MIB, rss / MIB, external / MIB, os.freemem() / MIB];
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
