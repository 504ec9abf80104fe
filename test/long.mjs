// The long halves of the tests: `npm run test:long`. Every test file that has long
// sizes (it imports support/sizes.ts) is run with them, then the power of simulated
// disks is cut until 10^5 states were recovered, and processes that share a log are
// killed 10^4 times (which needs g++ and doctest).
// `npm run test:long -- test/threads/torture` runs one file, and neither cuts nor kills.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const asked = process.argv.slice(2);

const run = (...args) => start(process.execPath, ...args);

function start(program, ...args) {
  const { status } = spawnSync(program, args, {
    cwd: dirname(here),
    env: { ...process.env, LONG: '1' },
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

const long = ['unit', 'threads', 'crash']
  .flatMap((part) => readdirSync(join(here, part), { recursive: true }).map((name) => join(here, part, name)))
  .filter((path) => path.endsWith('.test.ts') && readFileSync(path, 'utf8').includes('support/sizes'));

if (asked.length > 0) run(jest, ...asked);
else {
  run(jest, '--runTestsByPath', ...long);
  run(join(here, 'native', 'durable', 'crash-long.mjs'), '--states=100000');
  start('make', '-s', '-C', join(here, 'native'), 'kills');
}
