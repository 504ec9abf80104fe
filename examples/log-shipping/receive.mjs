// Keeps a copy of a log that another machine sends: a log with the same LSNs. 8 bytes before each entry
// are the epoch and branch of its position, and the metadata name the log: so the copy can say where it is,
// and be told from a log with another past. It may be killed at any time, and started again.
//
//   node examples/log-shipping/receive.mjs DIRECTORY PORT [HOST]
import { createServer } from 'node:net';
import { Wal, WalReader } from 'atomic-log';
import { read, write } from './frames.mjs';

const [directory, port, host = '127.0.0.1'] = process.argv.slice(2);
if (port === undefined) {
  console.error('usage: node receive.mjs DIRECTORY PORT [HOST]');
  process.exit(2);
}

// One that was killed leaves entries which nothing proves to readers of the copy before it is opened again, and
// the sender comes when it has something to send.
let wal = hasEntries() ? await Wal.open(directory) : undefined;

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

function held() {
  const { firstLsn, lastLsn: lsn, metadata } = wal;
  if (lsn < firstLsn) return { lsn: 0 };
  const { data } = wal.get(lsn);
  const branch = data.readUInt32LE(4).toString(16).padStart(8, '0');
  return { lsn, check: `${lsn}:${data.readUInt32LE(0)}:${branch}:${metadata}` };
}

async function serve(socket) {
  for await (const { logId, firstLsn, first, pasts, buffers } of read(socket)) {
    if (logId === undefined) {
      const heads = pasts.map((past) => Buffer.from(Uint32Array.from(past).buffer));
      // All or nothing, only right after what is there, and durable before it is acknowledged.
      await wal.appendBatch(
        buffers.map((data, i) => Buffer.concat([heads[i], data])),
        { expectedLsn: first },
      );
      write(socket, {});
      continue;
    }
    wal ??= await Wal.open(directory, { metadata: Buffer.from(logId), firstLsn });
    const isOther = wal.metadata.toString() !== logId;
    write(socket, isOther ? { refused: `it is a copy of log ${wal.metadata}` } : held());
  }
}

createServer((socket) => {
  socket.on('error', () => {});
  // Whatever is wrong with a connection, the sender asks again where to go on.
  serve(socket).catch((error) => socket.destroy(console.error(error.message)));
}).listen(Number(port), host);
