// Ships a log to another machine, next to its writer: what is there, then what becomes durable. The copy says
// where to go on, and from the first start on the cursor keeps what it lacks. It may be killed at any time.
//
//   node examples/log-shipping/send.mjs DIRECTORY PORT [HOST]
import { connect } from 'node:net';
import { forward, parsePosition, WalCursor, WalReader } from 'atomic-log';
import { read, write } from './frames.mjs';

const ANSWER_MS = 10_000;
const [directory, port, host = '127.0.0.1'] = process.argv.slice(2);
if (port === undefined) {
  console.error('usage: node send.mjs DIRECTORY PORT [HOST]');
  process.exit(2);
}

/** A target of forward(): one connection after the other. */
class Copy {
  #socket;
  /** The calls that wait for an answer, in the order of what was sent. */
  #waiting;

  constructor(source) {
    this.source = source;
  }

  async position() {
    this.#socket?.destroy();
    const waiting = (this.#waiting = []);
    const socket = (this.#socket = connect({ port: Number(port), host }));
    const fail = (error) => {
      for (const { reject } of waiting.splice(0)) reject(error ?? new Error('the connection is closed'));
    };
    socket.on('error', fail).on('close', () => fail());
    socket.setTimeout(ANSWER_MS, () => waiting.length > 0 && socket.destroy(new Error('no answer')));
    this.#receive(socket, waiting).catch((error) => socket.destroy(error));
    const { logId, firstLsn } = this.source;
    const { lsn, check, refused } = await this.#ask({ logId, firstLsn });
    if (refused !== undefined) throw Object.assign(new Error(refused), { code: 'ERR_TARGET_REFUSED' });
    return { lsn, check };
  }

  /** forward() has so many calls under way at most, and that bounds what waits in the socket. */
  send(entries) {
    const pasts = entries.map(({ position }) => parsePosition(position));
    return this.#ask(
      { first: entries[0].lsn, pasts: pasts.map(({ epoch, branch }) => [epoch, branch]) },
      entries.map(({ data }) => data),
    );
  }

  #ask(object, buffers) {
    if (this.#socket.destroyed) return Promise.reject(new Error('the connection is closed'));
    write(this.#socket, object, buffers);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async #receive(socket, waiting) {
    for await (const answer of read(socket)) waiting.shift()?.resolve(answer);
  }
}

const waiting = setTimeout(() => console.error(`waits for a log: there is none in ${directory} yet`), 1000);
const source = await WalReader.open(directory, { wait: true });
clearTimeout(waiting);
const cursor = await WalCursor.open(directory, 'shipping');
const onRetry = (error, { attempt }) => attempt === 1 && console.error(`interrupted: ${error.message}`);
try {
  await forward(source, { target: new Copy(source), cursor, onRetry });
} catch (error) {
  // Not every runtime shows the code of an error that nothing catches.
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
}
