#!/usr/bin/env bash
# A good guess: who publishes to a stream of NATS JetStream with the guard
# `expect.lastSequence` (N - 1 for the message that shall be N) is told of a second
# publisher, and nothing of his own is stored after the foreign message.
#
# What happens: the guard is looked at for each message by itself. With several in flight,
# a foreign message takes sequence N, our N is refused (error 10071), and our N + 1, whose
# guard says N, is stored: the stream has a foreign message in the middle, and its last one
# looks right. nats-server 2.9.10 (Debian 12), @nats-io/jetstream 3.4.0, Node.js 20.
#
# Why it matters: a replicator with messages in flight that resumes at the last message
# "which is ours" has lost one entry and carries a foreign one. It must compare all that it
# had in flight, not the last.
#
# Exit status: 0 as described, 1 when that has changed, 2 when it could not run.
set -uo pipefail
command -v nats-server >/dev/null || { echo "could not run: it needs Debian's nats-server"; exit 2; }
folder=$(mktemp -d) && cd "$folder" || exit 2
trap 'kill "${server:-}" 2>/dev/null; rm -rf "$folder"' EXIT
npm install --silent --no-save --ignore-scripts --no-audit --no-fund \
  @nats-io/jetstream@3.4.0 @nats-io/transport-node@3.4.0 >install.log 2>&1 || { cat install.log; echo 'could not install'; exit 2; }
printf 'listen: "127.0.0.1:-1"\njetstream { store_dir: "%s/store" }\nports_file_dir: "%s"\n' "$folder" "$folder" >server.conf
nats-server -c server.conf >server.log 2>&1 &
server=$!
for _ in $(seq 100); do ls nats-server_*.ports >/dev/null 2>&1 && break; sleep 0.1; done

cat >try.mjs <<'END'
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from '@nats-io/transport-node';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
const ports = readdirSync('.').find((name) => name.endsWith('.ports'));
const [server] = JSON.parse(readFileSync(ports, 'utf8')).nats;
const [ours, other] = [await connect({ servers: server }), await connect({ servers: server })];
const manager = await jetstreamManager(ours);
await manager.streams.add({ name: 'log', subjects: ['log'] });
const publish = (lsn) => jetstream(ours).publish('log', `ours ${lsn}`, { expect: { lastSequence: lsn - 1 } });
await publish(1);
await jetstream(other).publish('log', 'foreign');
const results = await Promise.allSettled([2, 3, 4].map(publish));
console.log(results.map(({ value, reason }) => (value ? `stored ${value.seq}` : `refused ${reason.code}`)).join(', '));
const stored = [];
for (let seq = 1; seq <= 4; ++seq) stored.push((await manager.streams.getMessage('log', { seq }))?.string());
console.log(stored.join(', '));
await Promise.all([ours.close(), other.close()]);
END
output=$(
  nats-server --version
  timeout 60 node try.mjs
)
expected='nats-server: v2.9.10
refused 10071, stored 3, stored 4
ours 1, foreign, ours 3, ours 4'

echo "$output"
[ "$(wc -l <<<"$output")" -lt 3 ] && tail -n 5 server.log && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
