#!/usr/bin/env bash
# A good guess: a library that takes its timers from the module `node:timers` is out of
# reach of a test's fake timers, which replace the globals.
#
# What happens: @sinonjs/fake-timers 15.5.0, which jest and Vitest build on, replaces the
# functions of the module `node:timers` too. What TypeScript or a bundler makes of
# `import { setImmediate } from 'node:timers'` is a look-up in the module at each call, so
# it is faked as well. Only a function that was taken into a variable before stays real.
#
# Why it matters: a log whose waits, group commits or followers go through such a timer
# hangs in every test that fakes time, although no test has asked for that.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-audit --no-fund @sinonjs/fake-timers@15.5.0 \
  >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const timers = require('node:timers');
const { setTimeout: taken } = timers;
const clock = require('@sinonjs/fake-timers').install();
console.log(`the global is ${setTimeout === taken ? 'real' : 'faked'}`);
console.log(`the function of node:timers is ${timers.setTimeout === taken ? 'real' : 'faked'}`);
let ran = false;
taken(() => (ran = true), 1);
taken(() => {
  console.log(`the function taken before ${ran ? 'runs' : 'does not run'}`);
  clock.uninstall();
}, 50);
END
output=$(timeout 60 node try.cjs)
expected='the global is faked
the function of node:timers is faked
the function taken before runs'

echo "$output"
[ -z "$output" ] && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
