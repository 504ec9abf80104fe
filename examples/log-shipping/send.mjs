// Ships a log to another machine, next to its writer: what is there, then what becomes durable. The copy says
// where to go on, and from the first start on the cursor keeps what it lacks. It may be killed at any time.
//
//   node examples/log-shipping/send.mjs DIRECTORY PORT [HOST]
import { connect } from 'node:net';
import { forward, parsePosition, WalCursor, WalReader } from 'atomic-log';
import { BYTES_MAX, fault, pack, PAST_BYTES, read, write } from './frames.mjs';

/** A connection on which nothing moves for so long is given up. */
const ANSWER_MS = Number(process.env.ANSWER_MS ?? 10_000);
const RETRY_MS_MAX = Math.min(2000, ANSWER_MS / 4);
/** Of a batch, for each entry. */
const ITEM_BYTES = 8;
const [directory, port, host = '127.0.0.1'] = process.argv.slice(2);
if (port === undefined) {
  console.error('usage: node send.mjs DIRECTORY PORT [HOST]');
  process.exit(2);
}

const refused = (why) => Object.assign(new Error(why), { code: 'ERR_TARGET_REFUSED' });

function checkSize(entries) {
  const itemBytes = entries.length > 1 ? ITEM_BYTES : 0;
  const bytes = entries.reduce((sum, { data }) => sum + itemBytes + PAST_BYTES + data.length, 0);
  if (bytes > BYTES_MAX)
    throw refused(
      `entries from ${entries[0].lsn} on, appended at once, need ${bytes} bytes: at most ${BYTES_MAX}`,
    );
}

/** The position that the copy tells; forward() compares it with the log. */
function checkHeld({ lsn, check }) {
  if (check !== undefined || lsn !== 0) parsePosition(check);
  return { lsn, check };
}

/** One connection, with the calls that wait for an answer, in the order of what was sent. */
class Connection {
  #socket = connect({ port: Number(port), host });
  #waiting = [];
  #answers = 0;

  constructor() {
    const socket = this.#socket;
    let error;
    let before = -1;
    const watch = setInterval(() => {
      const moved = this.#answers + socket.bytesWritten - socket.writableLength;
      if (this.#waiting.length > 0 && moved === before) socket.destroy(fault('no answer'));
      before = moved;
    }, ANSWER_MS / 2);
    socket.on('error', (why) => (error = why)).setKeepAlive(true, ANSWER_MS);
    socket.on('close', () => {
      clearInterval(watch);
      for (const { reject } of this.#waiting.splice(0)) reject(error ?? fault('the connection is closed'));
    });
    this.#read().catch((why) => socket.destroy(why));
  }

  ask(object, ...pieces) {
    if (this.#socket.destroyed) return Promise.reject(fault('the connection is closed'));
    // What it fails with closes the socket too.
    write(this.#socket, object, ...pieces).catch(() => {});
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  close() {
    this.#socket.destroy();
  }

  async #read() {
    for await (const { object } of read(this.#socket, { bytesMax: 0 })) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) throw fault('an answer without a question');
      ++this.#answers;
      if (object.refused !== undefined) waiting.reject(refused(object.refused));
      else if (object.failed !== undefined) waiting.reject(fault(`the copy says: ${object.failed}`));
      else waiting.resolve(object);
    }
  }
}

/** A target of forward(): one connection after the other. */
class Copy {
  #connection;

  constructor(source) {
    this.source = source;
  }

  async position() {
    this.#connection?.close();
    this.#connection = new Connection();
    return checkHeld(await this.#connection.ask({ logId: this.source.logId }));
  }

  /** forward() has so many calls under way at most, and that bounds what waits in the socket. */
  async send(entries) {
    checkSize(entries);
    const { lsn: first } = entries[0];
    const count = entries.length;
    const { lsn } = await this.#connection.ask({ first, count }, ...pack(entries));
    if (lsn !== first + count - 1) throw fault(`entries from ${first} on were acknowledged as ${lsn}`);
  }
}

const waiting = setTimeout(() => console.error(`waits for a log: there is none in ${directory} yet`), 1000);
const source = await WalReader.open(directory, { wait: true });
clearTimeout(waiting);
const onRetry = (error, { attempt }) => attempt === 1 && console.error(`interrupted: ${error.message}`);
try {
  const cursor = await WalCursor.open(directory, 'shipping');
  await forward(source, { target: new Copy(source), cursor, onRetry, retryMsMax: RETRY_MS_MAX });
} catch (error) {
  // Not every runtime shows the code of an error that nothing catches.
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
}
