#!/usr/bin/env bash
# A good guess: a MessagePack library packs a Float64Array as binary data, or refuses.
#
# What happens: msgpackr 2.1.3 packs, without an error, something that comes back with
# the wrong bytes; a Uint8Array is right. With `moreTypes: true` typed arrays come
# back as they were. msgpackr 2.1.4 gives the right bytes without it, as a plain
# binary value, and so does @msgpack/msgpack 3.1.3.
#
# Why it matters: columns of a log are typed arrays, and MessagePack is what one sends
# them with. The receiver gets numbers, but others. Pack
# `new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  msgpackr213@npm:msgpackr@2.1.3 msgpackr214@npm:msgpackr@2.1.4 @msgpack/msgpack@3.1.3 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.cjs <<'END'
const memory = new Float64Array(64).map((_, i) => i + 0.5);
const view = memory.subarray(8, 11);
const shown = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
const judge = (value) => {
  if (!ArrayBuffer.isView(value)) return `no typed array`;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return `${bytes.equals(shown) ? 'the right bytes' : 'other bytes'} in ${value.constructor.name === 'Float64Array' ? 'a Float64Array' : 'bytes'}`;
};
for (const name of ['msgpackr213', 'msgpackr214']) {
  const { Packr, pack, unpack } = require(name);
  const more = new Packr({ moreTypes: true });
  console.log(`${name}: ${judge(unpack(pack(view)))}; moreTypes: ${judge(more.unpack(more.pack(view)))}`);
}
const { encode, decode } = require('@msgpack/msgpack');
console.log(`@msgpack/msgpack: ${judge(decode(encode(view)))}`);
END
output=$(timeout 60 node try.cjs)
expected='msgpackr213: other bytes in bytes; moreTypes: the right bytes in a Float64Array
msgpackr214: the right bytes in bytes; moreTypes: the right bytes in a Float64Array
@msgpack/msgpack: the right bytes in bytes'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
