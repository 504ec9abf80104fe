// Crashes the durable logs on simulated disks, with other scripts each round,
// until so many states of the disk were opened:
//
//     npm run crash:long -- [--states=10000000] [--seed=1] [--minutes=0]
//
// Ends early after `--minutes`, when given. A round that fails is named, so that
// it can be run again. CRASHES_SEEN names a file for the counts. Needs g++ and doctest.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { SingleBar } from 'cli-progress';

const native = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join('build', 'unit', 'unit_tests');
/** The parts whose scripts and states are chosen at random. */
const FILTER = [
  '--test-suite=wal crashes,segment crash',
  '--test-case=scripts at random*,every sync fails*,so many states*,so do random scripts',
];

function fail(message) {
  console.error(message);
  process.exit(1);
}

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '0' },
  },
});
const [wanted, first, minutes] = [values.states, values.seed, values.minutes].map(Number);
if (!(wanted > 0 && Number.isInteger(wanted))) fail('--states must be a positive integer');
if (!(first >= 0 && Number.isInteger(first))) fail('--seed must be an integer from 0');
if (!(minutes >= 0)) fail('--minutes must be a number from 0');

const made = spawnSync('make', ['-s', program], { cwd: native, stdio: 'inherit' });
if (made.status !== 0) fail('the native tests do not build');

const began = Date.now();
const secondsGone = () => (Date.now() - began) / 1000;
const isOver = () => minutes > 0 && secondsGone() > 60 * minutes;
const bar = new SingleBar({
  format: '{bar} {percentage}% | {value} of {total} states | round {round} | {duration_formatted}',
  noTTYOutput: true,
  notTTYSchedule: 30_000,
});
const counts = { wal: 0, segment: 0 };
const states = () => counts.wal + counts.segment;

const sum = (printed, pattern) => [...printed.matchAll(pattern)].reduce((all, [, count]) => all + Number(count), 0);

/** Not spawnSync: the bar moves meanwhile. */
async function round(number) {
  const child = spawn(program, FILTER, {
    cwd: native,
    env: { ...process.env, CRASH_SEED: String(number) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed, [status, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { printed, status, signal };
}

let seed = first;
bar.start(wanted, 0, { round: seed });
for (; states() < wanted && !isOver(); ++seed) {
  const result = await round(seed);
  const found = { wal: sum(result.printed, /crash states: (\d+)/g), segment: sum(result.printed, /(\d+) disks/g) };
  if (result.status !== 0 || found.wal === 0 || found.segment === 0) {
    bar.stop();
    const again = `CRASH_SEED=${seed} ${join('test', 'native', program)} ${FILTER.map((each) => `'${each}'`).join(' ')}`;
    fail(`${result.printed}\nRound ${seed} failed (${result.signal ?? result.status}):\n${again}`);
  }
  counts.wal += found.wal;
  counts.segment += found.segment;
  bar.update(Math.min(states(), wanted), { round: seed + 1 });
}
bar.stop();
if (process.env.CRASHES_SEEN) {
  const seen = { states: states(), ...counts, seed: first, rounds: seed - first, seconds: Math.round(secondsGone()) };
  writeFileSync(process.env.CRASHES_SEEN, JSON.stringify(seen));
}
console.log(
  `${states()} states of a disk after a crash were opened (write-ahead log ${counts.wal}, segment files ` +
    `${counts.segment}), in ${seed - first} rounds from seed ${first} and ${Math.round(secondsGone())} s: ` +
    'nothing acknowledged was lost',
);
