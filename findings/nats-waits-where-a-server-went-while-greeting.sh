#!/usr/bin/env bash
# A good guess: the client of NATS tries to connect again every `reconnectTimeWait`
# milliseconds, however an attempt fails.
#
# What happens: where the server goes away after its greeting (INFO) and before it has
# answered CONNECT, as a server does that is killed while clients come back to it, the
# attempt ends only when `timeout` is over, 20 s by default: one attempt in three seconds,
# where there are more than a hundred when the connection is closed at once. The socket
# was closed all the while. @nats-io/transport-node 3.4.0, Node.js 20.
#
# Why it matters: what carries a log onward, or reads it elsewhere, stands still for 20
# seconds although the server is back after one. Set `timeout` to a few seconds.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
folder=$(mktemp -d) && cd "$folder" || exit 2
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-save --ignore-scripts --no-audit --no-fund \
  @nats-io/transport-node@3.4.0 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }

cat >try.mjs <<'END'
import { createServer } from 'node:net';
import { connect } from '@nats-io/transport-node';
const INFO =
  'INFO {"server_id":"x","version":"2.9.10","proto":1,"host":"127.0.0.1","port":1,"headers":true,"max_payload":1048576}\r\n';

/** How often a client that has lost its connection comes back within three seconds, where each attempt is ended so. */
async function attempts(end) {
  let count = -1;
  let first;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (++count > 0) return end(socket);
    first = socket;
    socket.write(INFO);
    socket.on('data', (bytes) => String(bytes).includes('PING') && socket.write('PONG\r\n'));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const servers = `127.0.0.1:${server.address().port}`;
  await connect({ servers, reconnectTimeWait: 20, reconnectJitter: 0, maxReconnectAttempts: -1 });
  first.destroy();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  return count > 10 ? 'many attempts' : `attempts: ${count}`;
}

console.log(`closed at once: ${await attempts((socket) => socket.destroy())}`);
console.log(`closed after the greeting: ${await attempts((socket) => socket.end(INFO))}`);
process.exit();
END
output=$(timeout 60 node try.mjs 2>&1)
expected='closed at once: many attempts
closed after the greeting: attempts: 1'

echo "$output"
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
