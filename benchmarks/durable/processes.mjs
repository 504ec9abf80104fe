// What does a durable entry cost a process that has just begun, and one that is warm?
// Whole child processes, one for each way and round, which take turns on the same disk.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BYTES, ways } from '../durable-ways.mjs';
import { figure, report, roundsOf } from '../measure.mjs';

const CHILDREN = 5;
const BARE = 'bare pwrite + fdatasync';
const PROMISES = 'promises alone';
const child = fileURLToPath(new URL('./processes-way.mjs', import.meta.url));

/** Nanoseconds per entry, of the first ones and warm; undefined for a peer that is not there. */
function sample(name) {
  const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));
  try {
    const output = execFileSync(process.execPath, [child, name, directory], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return JSON.parse(output);
  } catch (error) {
    console.error(`without ${name}: ${String(error.stderr).match(/^\w*Error.*$/m)?.[0] ?? error.message}`);
    return undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const names = Object.keys(ways);
const rounds = Array.from({ length: roundsOf(CHILDREN) }, () =>
  Object.fromEntries([...names, PROMISES].map((name) => [name, sample(name)])),
);
const present = names.filter((name) => rounds.every((round) => round[name] !== undefined));
const unit = present.includes('lmdb') ? 'lmdb' : BARE;

const figureOf = (name, phase, beside) =>
  figure(
    rounds.map((round) => round[name][phase]),
    rounds.map((round) => round[name][phase] / round[beside][phase]),
    beside,
  );

/** The least that an append takes: its bytes on the disk, and a promise. */
const leastOf = (phase) => {
  const inUnit = (name) => figureOf(name, phase, unit).ratio.toFixed(2);
  return (
    `of it, the bare write and sync of the bytes take ${inUnit(BARE)}, and as many promises that settle together, ` +
    `with Promise.all of them, take ${inUnit(PROMISES)} alone`
  );
};

/** Times beside lmdb's: at least as many entries cold, 2.2 times as many warm, 3 times with one sync for all. */
const TARGETS = {
  'Wal.append': { cold: 1, warm: 0.45 },
  'Wal.write, and one sync': { cold: null, warm: 0.33 },
};
const PHASES = { cold: 'the first 100,000 of a process', warm: 'warm' };

report(
  Object.entries(PHASES).flatMap(([phase, when]) =>
    present.map((name) => {
      const inUnit = figureOf(name, phase, unit);
      const rate = Math.round(1e9 / inUnit.ns).toLocaleString('en');
      const share = (1 / figureOf(name, phase, BARE).ratio).toPrecision(2);
      return {
        operation: `${name}, ${BYTES} B each, ${when}`,
        ...inUnit,
        target: unit === 'lmdb' ? (TARGETS[name]?.[phase] ?? null) : null,
        reason: name === 'Wal.append' ? leastOf(phase) : undefined,
        note: `${rate} entries a second, ${share} of the bare bytes; durable ${ways[name].durable}`,
      };
    }),
  ),
);
