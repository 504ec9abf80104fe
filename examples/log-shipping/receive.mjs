// Keeps a copy of a log that another machine sends: a log with the same LSNs. 8 bytes before each entry
// are the epoch and branch of its position, and the metadata name the log: so the copy can say where it is,
// and be told from a log with another past. It may be killed at any time, and started again.
//
//   node examples/log-shipping/receive.mjs DIRECTORY PORT [HOST]
import { createServer } from 'node:net';
import { Wal, WalReader } from 'atomic-log';
import { BYTES_MAX, fault, PAST_BYTES, read, unpack, write } from './frames.mjs';

/** A connection that has not said by then what it is for is closed. */
const HELLO_MS = 10_000;
const CONNECTIONS_MAX = 64;
/** What only opening the log again can mend. */
const BROKEN = ['ERR_POISONED', 'ERR_IO', 'ERR_DIRECTORY_REPLACED'];

const [directory, port, host = '127.0.0.1'] = process.argv.slice(2);
if (port === undefined) {
  console.error('usage: node receive.mjs DIRECTORY PORT [HOST]');
  process.exit(2);
}

let wal;
/** The connection of the sender that has come last: the only one that may write. */
let newest;
/** The turns of connections, one after the other; never rejects. */
let turns = Promise.resolve();

function hasEntries() {
  try {
    const reader = WalReader.open(directory, { tail: 'intact' });
    const { firstLsn, lastLsn } = reader;
    reader.close();
    return lastLsn >= firstLsn;
  } catch (error) {
    if (error.code === 'ERR_FILE_NOT_FOUND') return false;
    throw error;
  }
}

async function open(options) {
  const opened = await Wal.open(directory, options);
  if (/^[0-9a-f]{32}$/.test(String(opened.metadata))) return opened;
  await opened.close();
  throw refusal(`${directory} has a log that is not a copy`);
}

const refusal = (why) => Object.assign(fault(why), { isRefusal: true });

/**
 * Opens the copy where there is one. One that was killed leaves entries which nothing proves to readers of the copy before
 * that, and the sender comes when it has something to send.
 */
async function reopen() {
  if (wal === undefined && hasEntries()) wal = await open();
}

/** The log that is to be shipped, and not another one. */
function checkLog(logId) {
  if (wal !== undefined && String(wal.metadata) !== logId)
    throw refusal(`it is a copy of log ${wal.metadata}`);
}

function held() {
  if (wal === undefined || wal.lastLsn < wal.firstLsn) return { lsn: 0 };
  const { lastLsn: lsn, metadata } = wal;
  const { data } = wal.get(lsn);
  const branch = data.readUInt32LE(4).toString(16).padStart(PAST_BYTES, '0');
  return { lsn, check: `${lsn}:${data.readUInt32LE(0)}:${branch}:${metadata}` };
}

async function append(logId, first, { data, lengths }) {
  if (!Number.isSafeInteger(first) || first < 1) throw fault(`an entry with LSN ${first}`);
  // Made with what comes first, so that it begins there.
  wal ??= await open({ metadata: Buffer.from(logId), firstLsn: first });
  checkLog(logId);
  // All or nothing, only right after what is there, and durable before it is acknowledged.
  return wal.appendBatch(data, lengths, { expectedLsn: first });
}

/** What came from a sender that has said which log it sends. */
async function take(socket, frames, limits, logId) {
  // Another one may have come while this one waited for its turn.
  if (newest !== socket) return;
  await reopen();
  checkLog(logId);
  limits.bytesMax = BYTES_MAX;
  await write(socket, held());
  for await (const { object, bytes } of frames) {
    const { first, count } = object;
    const { last } = await append(logId, first, unpack(count, bytes));
    await write(socket, { lsn: last });
  }
}

/** Says why to the other side, which asks again where to go on, unless trying again cannot help. */
async function report(socket, error) {
  console.error(`${error.code}: ${error.message}`);
  if (BROKEN.includes(error.code)) {
    const broken = wal;
    wal = undefined;
    await broken?.close().catch(() => {});
  }
  if (!socket.destroyed) await write(socket, { [error.isRefusal ? 'refused' : 'failed']: error.message });
}

async function serve(socket) {
  const limits = { bytesMax: 0 };
  const frames = read(socket, limits);
  const timer = setTimeout(() => socket.destroy(), HELLO_MS);
  const { value: hello } = await frames.next();
  clearTimeout(timer);
  if (hello === undefined) return;
  const { logId } = hello.object;
  if (!/^[0-9a-f]{32}$/.test(logId)) throw fault('a sender that does not say which log it sends');
  checkLog(logId);
  // One that was killed, or whose machine is gone, may never be heard of again: whoever comes takes its place.
  newest?.destroy();
  newest = socket;
  const turn = turns.then(() => take(socket, frames, limits, logId));
  turns = turn.catch((error) => report(socket, error)).catch(() => {});
  await turns;
}

try {
  await reopen();
} catch (error) {
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
}
const server = createServer((socket) => {
  // What reads and writes hears of it too.
  socket.on('error', () => {}).setKeepAlive(true, HELLO_MS);
  serve(socket)
    .catch((error) => report(socket, error))
    .catch(() => {})
    .finally(() => socket.destroy());
});
server.maxConnections = CONNECTIONS_MAX;
server.on('error', (error) => {
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
});
server.listen(Number(port), host);
