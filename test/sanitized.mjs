// Runs the jest suite against an addon that is built with AddressSanitizer and
// UndefinedBehaviorSanitizer: `npm run test:sanitized -- [jest arguments]`.
import { execFileSync } from 'node:child_process';
import { buildAddon, runJest } from './support/build-addon.mjs';

function library(name) {
  return execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

const addon = await buildAddon('sanitized', {
  flags: [
    '-O1',
    '-DATOMIC_LOG_CHECKS',
    // Lines in backtraces, and no more.
    '-g1',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=undefined',
    '-fno-omit-frame-pointer',
  ],
});
runJest(
  addon,
  {
    LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
    // Node leaves memory to the system at its end; leaks are hunted by tests that
    // watch resident memory.
    ASAN_OPTIONS: 'detect_leaks=0',
  },
  // These tests, which find nothing here: the sanitizer keeps what was freed.
  ['threads/leaks', 'threads/memory'],
);
