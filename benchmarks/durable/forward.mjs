// How fast is a log carried onward: into a target that does nothing, and into JetStream and Redis, next to
// a bare client that sends as many bytes, with as many calls under way?
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forward, Wal } from '../../dist/index.mjs';
import { startServer, whyNot } from '../engines.mjs';
import { figure, isQuick, report, roundsOf, warmupOf } from '../measure.mjs';

const ROUNDS = 7;
const BYTES = 128;
const ENTRIES = isQuick ? 5000 : 200_000;
/** So many that the beginning of a run does not count. */
const TO_JETSTREAM = isQuick ? 1000 : 10_000;
const TO_REDIS = isQuick ? 1000 : 80_000;
const CALLS = 8;
/** A bare client may be so much faster. */
const TARGET = 1.11;

const require = createRequire(import.meta.url);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'atomic-log-bench-'));
const data = Buffer.alloc(BYTES, 7);

async function logOf(name, entries) {
  const wal = await Wal.open(join(directory, name));
  for (let i = 0; i < entries; ++i) wal.write(data);
  await wal.sync();
  return wal;
}

/** Nanoseconds per entry of what carries all of them. */
async function timeOf(entries, carry) {
  const begin = process.hrtime.bigint();
  await carry();
  return Number(process.hrtime.bigint() - begin) / entries;
}

async function forwardAll(wal, target) {
  const controller = new AbortController();
  const { lastLsn } = wal;
  const onProgress = ({ acknowledged }) => acknowledged === lastLsn && controller.abort();
  await forward(wal, { target, inFlight: CALLS, onProgress, signal: controller.signal }).catch((error) => {
    if (!controller.signal.aborted) throw error;
  });
}

/** Both in turn, each round in a stream of its own; the figure of forward(). */
async function compared(entries, ours, bare, unit) {
  const samples = [];
  for (let round = -warmupOf(2); round < roundsOf(ROUNDS); ++round) {
    const one = await timeOf(entries, await ours(`ours${round}`));
    const other = bare === undefined ? 1 : await timeOf(entries, await bare(`bare${round}`));
    if (round >= 0) samples.push({ one, other });
  }
  return figure(
    samples.map(({ one }) => one),
    samples.map(({ one, other }) => one / other),
    unit,
  );
}

const rate = ({ ns }) => `${Math.round(1e9 / ns).toLocaleString('en')} entries a second`;

async function nullRow() {
  const wal = await logOf('null', ENTRIES);
  const target = { position: async () => undefined, send: async () => {} };
  const catchUp = await compared(ENTRIES, () => () => forwardAll(wal, target), undefined, 'ns');
  await wal.close();
  return {
    operation: `forward, entries of ${BYTES} B that are on disk, into a target that does nothing`,
    ...catchUp,
    target: 2000,
    note: rate(catchUp),
  };
}

/** Sends calls of so many entries, in order, with a number of them under way. */
async function pipelined(entries, each, send) {
  const underWay = new Set();
  for (let first = 1; first <= entries; first += each) {
    if (underWay.size >= CALLS) await Promise.race(underWay);
    const call = send(first, Math.min(each, entries + 1 - first)).then(() => underWay.delete(call));
    underWay.add(call);
  }
  await Promise.all(underWay);
}

async function jetStreamRow(port, leastOf) {
  const wal = await logOf('to-jetstream', TO_JETSTREAM);
  const { connect } = require('@nats-io/transport-node');
  const { jetstream, jetstreamManager } = require('@nats-io/jetstream');
  const { jetStreamTarget } = await import('../../dist/jetstream.mjs');
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  const client = jetstream(connection);
  const { streams } = await jetstreamManager(connection);
  const idBytes = wal.get(1).position.length + 9;
  const made = (stream) => streams.add({ name: stream, subjects: [stream], discard: 'new' });
  const ours = async (stream) => {
    await made(stream);
    const target = await jetStreamTarget(connection, { stream });
    return () => forwardAll(wal, target);
  };
  const bare = async (stream) => {
    await made(stream);
    const publish = (lsn) => {
      const expect = { streamName: stream, lastSequence: lsn - 1 };
      return client.publish(stream, data, { msgID: String(lsn).padStart(idBytes, '0'), expect });
    };
    const send = (first, count) => Promise.all(Array.from({ length: count }, (_, i) => publish(first + i)));
    return () => pipelined(TO_JETSTREAM, 64, send);
  };
  const row = await compared(TO_JETSTREAM, ours, bare, 'x bare publisher');
  await connection.close();
  await wal.close();
  return {
    operation: `forward, entries of ${BYTES} B, into JetStream`,
    ...row,
    target: TARGET,
    reason: leastOf(row),
  };
}

const BARE = `
for i = 2, #ARGV do redis.call('XADD', KEYS[1], string.format('%.0f-0', ARGV[1] + i - 2), 'd', ARGV[i]) end`;

async function redisRow(port, leastOf) {
  const wal = await logOf('to-redis', TO_REDIS);
  const { createClient } = require('redis');
  const { clientOptions, redisTarget } = await import('../../dist/redis.mjs');
  const client = createClient({ ...clientOptions, socket: { host: '127.0.0.1', port } });
  client.on('error', () => {});
  await client.connect();
  const sha = await client.sendCommand(['SCRIPT', 'LOAD', BARE]);
  const ours = (key) => {
    const target = redisTarget(client, { key });
    return () => forwardAll(wal, target);
  };
  const bare = (key) => {
    const send = (first, count) => {
      const all = Array.from({ length: count }, () => data);
      return client.sendCommand(['EVALSHA', sha, '1', key, String(first), ...all]);
    };
    return () => pipelined(TO_REDIS, 256, send);
  };
  const row = await compared(TO_REDIS, ours, bare, 'x bare script loop');
  client.destroy();
  await wal.close();
  return {
    operation: `forward, entries of ${BYTES} B, into Redis`,
    ...row,
    target: TARGET,
    reason: leastOf(row),
  };
}

const engines = [
  ['nats-server', ['@nats-io/transport-node', '@nats-io/jetstream'], jetStreamRow],
  ['redis-server', ['redis'], redisRow],
];
const rows = [await nullRow()];
/** What reading the log and keeping calls under way takes of a row, as measured with the target that does nothing. */
function leastOf({ ns }) {
  const share = ((100 * rows[0].ns) / ns).toFixed(1);
  return `reading the entries, comparing what is there and keeping calls under way takes ${share} % of it, as a target that does nothing shows; the rest is the target's own work in the same thread, which the bare publisher does not do`;
}
for (const [program, packages, rowOf] of engines) {
  const reason = whyNot(program, packages, require);
  if (reason !== undefined) {
    console.error(`without forward() into ${program}: ${reason}`);
    continue;
  }
  const own = join(directory, program);
  mkdirSync(own);
  const server = await startServer(program, own);
  try {
    const row = await rowOf(server.port, leastOf);
    rows.push({ ...row, note: rate(row) });
  } finally {
    await server.stop();
  }
}
report(rows);
rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
