// One of the other machines: takes the entries from the stream into a log in memory, which the threads of this
// process share. Memory does not survive a kill: it is filled again from the stream, oldest entries first.
//
//   started by main.mjs:  reader.mjs PORT
import { Worker } from 'node:worker_threads';
import { connect } from '@nats-io/transport-node';
import { AtomicLog } from 'atomic-log';
import { connectionOptions, subscribe } from 'atomic-log/jetstream';
import { decode, schema } from './record.mjs';

const WINDOW = 1 << 16;
/** How far the worker may be behind before this thread waits for it. */
const AHEAD = WINDOW / 2;
const REPORT_MS = 50;
const [port] = process.argv.slice(2);

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

const { writer, log } = AtomicLog.claimed({ schema, retainedCapacity: WINDOW, segmentCapacity: WINDOW / 16 });
const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: log.handle });

/** What the worker has seen, as it says. */
let seen = { first: 0, lsn: 0, chain: 0, entries: 0 };
let woken = () => {};
worker.on('message', (message) => {
  seen = message;
  woken();
});
setInterval(() => process.send({ seen }), REPORT_MS);

const connection = await connect({ servers: `127.0.0.1:${port}`, ...connectionOptions });
for await (const entries of subscribe(connection, { stream: 'records' })) {
  for (const { lsn, data } of entries) writer.append({ lsn, ...decode(data) });
  while (writer.nextIndex - seen.entries > AHEAD) await new Promise((resolve) => (woken = resolve));
}
