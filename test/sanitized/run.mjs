// Runs the jest suite against an addon that is built with AddressSanitizer and
// UndefinedBehaviorSanitizer: `npm run test:sanitized -- [jest arguments]`.
import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

import { buildAddon, root } from '../support/build-addon.mjs';

function library(name) {
  return execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

const output = buildAddon('sanitized', {
  flags: [
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=undefined',
    '-fno-omit-frame-pointer',
  ],
});
const env = {
  ...process.env,
  ATOMIC_LOG_PREBUILD: output,
  LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
  // Node leaves memory to the system at its end; leaks are hunted by tests that
  // watch resident memory.
  ASAN_OPTIONS: 'detect_leaks=0',
};

const script = 'console.log(require("./dist/native.js").addonPath)';
const used = execFileSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' }).trim();
if (!used.startsWith(output)) throw new Error(`the sanitized addon is not what would be tested, but ${used}`);

const require = createRequire(import.meta.url);
const jest = [require.resolve('jest/bin/jest'), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, jest, { cwd: root, env, stdio: 'inherit' });
process.exit(status ?? 1);
