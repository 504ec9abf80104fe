// A child of processes.mjs: makes entries durable in the way and the directory that the
// arguments name, and prints nanoseconds per entry: of the first ones, and of later ones.
import { IN_FLIGHT, promisesAlone, ways } from '../durable-ways.mjs';
import { isQuick } from '../measure.mjs';

const [name, directory] = process.argv.slice(2);
/** Groups of IN_FLIGHT entries in each measurement, and between the two; slow ways are warm after less. */
const GROUPS = isQuick ? 1 : 10;
const BETWEEN = isQuick ? 0 : 20;
const BETWEEN_MS = 1000;

const run = await (ways[name] ?? promisesAlone).open(directory);

async function nanoseconds(groups) {
  const begin = process.hrtime.bigint();
  for (let i = 0; i < groups; ++i) await run();
  return Number(process.hrtime.bigint() - begin) / (groups * IN_FLIGHT);
}

const cold = await nanoseconds(GROUPS);
const end = performance.now() + BETWEEN_MS;
for (let i = 0; i < BETWEEN && performance.now() < end; ++i) await run();
const warm = await nanoseconds(GROUPS);
process.stdout.write(JSON.stringify({ cold, warm }), () => process.exit(0));
