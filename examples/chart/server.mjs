// A backend of a live chart: a worker produces a series at full speed, and every browser gets what is new
// as binary messages of two arrays, over ws. One that is slow gets fewer points and hears how many it missed:
// the log drops them, no queue grows.
//
//   node examples/chart/server.mjs [PORT] [POINTS per second]
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { WebSocketServer } from 'ws';

const [port = '8082', rate = '10000'] = process.argv.slice(2);
const POINTS_MAX = 4096;
/** What may wait in the socket of a client before it gets nothing more. */
const BUFFERED_BYTES_MAX = 1 << 18;

const producer = new Worker(new URL('producer.mjs', import.meta.url), { workerData: { rate: Number(rate) } });
const [handle] = await once(producer, 'message');
const log = AtomicLog.attach(handle, { name: 'chart' });

/** A header of { first index, lost points, points } as float64, then the times, then the values. */
function messageOf(batch) {
  const message = new Float64Array(3 + 2 * batch.length);
  message.set([batch.firstIndex, batch.lost, batch.length]);
  let at = 3;
  for (const chunk of batch.chunks()) {
    message.set(chunk.column('time'), at);
    message.set(chunk.column('value'), at + batch.length);
    at += chunk.length;
  }
  return message;
}

/** Resolves when the client has taken enough of what was sent. */
async function drained(client, signal) {
  while (client.bufferedAmount > BUFFERED_BYTES_MAX && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function serve(client) {
  const over = new AbortController();
  client.on('close', () => over.abort()).on('error', () => over.abort());
  const { signal } = over;
  try {
    for await (const batch of log.follow({ batchEntriesMax: POINTS_MAX, signal })) {
      client.send(messageOf(batch)); // copied: the batch is valid until the next one
      await drained(client, signal);
    }
    client.close();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const server = new WebSocketServer({ port: Number(port), host: '127.0.0.1' });
server.on('connection', (client) => void serve(client));
await once(server, 'listening');
console.log(JSON.stringify({ port: server.address().port }));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    await producer.terminate();
    log.close();
  });
}
