// One end of a stream, to be killed at any moment: carries a log to it, or keeps a copy
// of the log that is read from it.
//   node replication.cjs forward|copy jetstream|redis PORT DIRECTORY
'use strict';
const { join } = require('node:path');

const root = join(__dirname, '..', '..', 'dist');
const { forward, Wal, WalReader } = require(root);
const [end, engine, port, directory] = process.argv.slice(2);

const engines = {
  async jetstream() {
    const { connect } = require('@nats-io/transport-node');
    const { connectionOptions, jetStreamTarget, subscribe } = require(join(root, 'jetstream.js'));
    const quick = { ...connectionOptions, reconnectDelayHandler: () => 20 };
    const connection = await connect({ servers: `127.0.0.1:${port}`, ...quick });
    return {
      target: () => jetStreamTarget(connection, { stream: 'log' }),
      read: (from) => subscribe(connection, { stream: 'log', from }),
    };
  },
  async redis() {
    const { createClient } = require('redis');
    const { clientOptions, redisTarget, subscribe } = require(join(root, 'redis.js'));
    const client = createClient({
      ...clientOptions,
      socket: { host: '127.0.0.1', port, reconnectStrategy: 20 },
    });
    client.on('error', () => {});
    await client.connect();
    return {
      target: () => redisTarget(client, { key: 'log' }),
      read: (from) => subscribe(client, { key: 'log', from }),
    };
  },
};

async function carry({ target }) {
  const source = WalReader.open(directory, { pollMs: 2 });
  await forward(source, { target: await target(), batchEntries: 8, retryMs: 10, retryMsMax: 100 });
}

async function copy({ read }) {
  const wal = await Wal.open(directory, { segmentBytes: 1 << 20 });
  for await (const entries of read(wal.lastLsn + 1)) {
    if (entries[0].lsn !== wal.lastLsn + 1) throw new Error(`${entries[0].lsn} after ${wal.lastLsn}`);
    await wal.appendBatch(entries.map(({ data }) => data));
  }
}

engines[engine]()
  .then(end === 'forward' ? carry : copy)
  .catch((error) => {
    console.error(end, error);
    process.exitCode = 3;
  });
