// What does the package cost a program before it does anything: time to load, bytes
// of the binary, memory of small segments?
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { AtomicLog } from '../../dist/index.mjs';
import { figure, isQuick, report, root, roundsOf } from '../measure.mjs';

const ROUNDS = 9;
const SEGMENTS = isQuick ? 20_000 : 200_000;

/** Milliseconds that a new process takes to load the package, with all its files in the system's memory. */
function loadingTime() {
  const script = `const begin = performance.now();
    require(${JSON.stringify(join(root, 'dist', 'index.js'))});
    process.stdout.write(String(performance.now() - begin));`;
  return Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })) * 1e6;
}

/** Resident memory of segments of one entry, and what stats() says of them. */
function segmentsMemory() {
  const before = process.memoryUsage.rss();
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: SEGMENTS, segmentCapacity: 1 });
  for (let i = 0; i < SEGMENTS; ++i) writer.append(i);
  const ratio = (process.memoryUsage.rss() - before) / log.stats().bytes;
  log.close();
  return { ratio, low: ratio, high: ratio };
}

const loading = Array.from({ length: roundsOf(ROUNDS) }, loadingTime);
const megabytes = statSync(join(root, 'build', 'Release', 'atomic_log.node')).size / 1e6;
report([
  {
    operation: "require('atomic-log') in a new process",
    ...figure(
      loading,
      loading.map((ns) => ns / 1e6),
      'ms',
    ),
    target: 10,
    reason:
      'by the profile of the processor a half of it compiles the two files (270 KB), and a tenth each reads them, loads ' +
      "modules of the runtime (node:perf_hooks, node:timers), and reads the program's own header, which names its C library",
  },
  {
    operation: 'the binary',
    ...{ ratio: megabytes, low: megabytes, high: megabytes, unit: 'MB', target: 1.5 },
    reason:
      'of 1.62 MB without the symbols (0.25 MB, which prebuilt binaries do not have) zstd is 0.75 MB, the code of the package 0.68 MB',
  },
  {
    operation: `resident memory of ${SEGMENTS.toLocaleString('en')} segments of one entry`,
    ...segmentsMemory(),
    ...{ unit: 'stats().bytes', target: 2 },
    reason:
      'a block of one entry has 128 bytes; the writer maps each once, and keeps the mapping for when the block is used again: ' +
      "an ArrayBuffer and its typed arrays are 626 bytes of the engine's heap, and what the runtime allocates for them about 520",
  },
]);
