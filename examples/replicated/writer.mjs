// The machine that writes: a write-ahead log, and what carries it to the stream. It writes on while the
// server is away, and may be killed at any time: the log has what was acknowledged.
//
//   started by main.mjs:  writer.mjs DIRECTORY PORT RATE
import { once } from 'node:events';
import { connect } from '@nats-io/transport-node';
import { forward, Wal } from 'atomic-log';
import { connectionOptions, jetStreamTarget } from 'atomic-log/jetstream';
import { chainOf, decode, encode } from './record.mjs';

const PERIOD_MS = 10;
const CHECKPOINT_MS = 10_000;
const [directory, port, rate] = process.argv.slice(2);

// Ctrl-C is for main.mjs, whose end is also the end of this one.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
// From the first: Bun drops what comes before someone listens.
const stopping = once(process, 'message');

// A message of the server has 1 MiB at most, unless it is set up otherwise.
const wal = await Wal.open(directory, { segmentBytes: 4 << 20, entryBytesMax: 1 << 16 });
const cursor = await wal.cursor('stream');

async function carry() {
  const connection = await connect({ servers: `127.0.0.1:${port}`, ...connectionOptions });
  const { entryBytesMax } = wal;
  await forward(wal, {
    target: await jetStreamTarget(connection, { stream: 'records', entryBytesMax }),
    cursor,
  });
}

/** Entries that go on after the last one of the log. */
function nextEntries(before, count) {
  const entries = [];
  for (let i = 0; i < count; ++i) {
    const [time, value] = [Date.now(), Math.random()];
    before = chainOf(before, time, value);
    entries.push(encode({ time, value, chain: before }));
  }
  return { entries, last: before };
}

let chain = wal.lastLsn < wal.firstLsn ? 0 : decode(wal.get(wal.lastLsn).data).chain;
const underWay = new Set();
const begun = performance.now();
let made = 0;
const writing = setInterval(() => {
  const count = Math.floor(((performance.now() - begun) / 1000) * Number(rate)) - made;
  if (count === 0) return;
  made += count;
  const { entries, last } = nextEntries(chain, count);
  chain = last;
  const appended = wal.appendBatch(entries).then(({ last: lsn }) => process.send({ acknowledged: lsn }));
  underWay.add(appended);
  appended.finally(() => underWay.delete(appended));
}, PERIOD_MS);

// Drops what the cursor says is safe in the stream: minutes after it was acknowledged there.
setInterval(() => wal.checkpoint(wal.lastLsn), CHECKPOINT_MS);

async function stop() {
  await stopping;
  clearInterval(writing);
  await Promise.all(underWay);
  process.send({ stopped: wal.lastLsn });
}

void stop();
await carry();
