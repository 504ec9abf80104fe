#!/usr/bin/env bash
# A good guess: who publishes to a subject of NATS JetStream that no stream takes is told that
# there is no such stream, and "JetStream is not enabled" is said only by a server without it.
#
# What happens: the client says "jetstream is not enabled" in both cases. It is what it makes
# of "no responders", the server's answer where nobody listens to a subject; asked for its
# account's figures, the same server says that JetStream is enabled, and has a stream.
# nats-server 2.9.10 (Debian 12), @nats-io/jetstream 3.4.0, Node.js 20.
#
# Why it matters: a typing error in a subject, or a stream whose subjects were changed under
# a publisher, sends people to the server's configuration. A publisher that takes this error
# for "the server comes up" tries again for ever. Look the stream up by its subject first.
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
const connection = await connect({ servers: server });
const manager = await jetstreamManager(connection);
await manager.streams.add({ name: 'log', subjects: ['log'] });
const told = (subject) => jetstream(connection).publish(subject, 'entry').then(({ seq }) => `stored ${seq}`, ({ name, message }) => `${name}: ${message}`);
console.log(await told('log'));
console.log(await told('lgo'));
console.log('streams', (await manager.getAccountInfo()).streams);
console.log(await manager.streams.find('lgo').catch(({ message }) => message));
await connection.close();
END
output=$(
  nats-server --version
  timeout 60 node try.mjs
)
expected='nats-server: v2.9.10
stored 1
JetStreamNotEnabled: jetstream is not enabled
streams 1
no stream matches subject'

echo "$output"
[ "$(wc -l <<<"$output")" -lt 3 ] && tail -n 5 server.log && echo 'could not run' && exit 2
[ "$output" = "$expected" ] && echo 'as described' && exit 0
printf 'changed; it was:\n%s\n' "$expected"
exit 1
