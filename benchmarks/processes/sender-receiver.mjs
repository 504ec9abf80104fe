// The receiver of sender.mjs: says so whenever it has another group of records.
import { once } from 'node:events';
import { connect } from 'node:net';
import { AtomicLog } from '../../dist/index.mjs';

const RECORD_BYTES = 64;
/** `perRecord`: entries of the log that are one record. */
const [group, how, path, perRecord] = process.argv.slice(2);

let received = 0;
function take(records) {
  received += records;
  if (received < Number(group)) return;
  received -= Number(group);
  process.send('all');
}

const ways = {
  async log() {
    const log = await AtomicLog.open(path, { create: false });
    const batches = log.follow({ from: 'latest' });
    void (async () => {
      for await (const batch of batches) {
        if (batch.lost > 0) throw new Error(`${batch.lost} entries are lost`);
        take(batch.length / Number(perRecord));
      }
    })();
  },
  messages() {
    process.on('message', () => take(1));
  },
  async socket() {
    const socket = connect(path);
    await once(socket, 'connect');
    socket.on('data', ({ length }) => take(length / RECORD_BYTES));
  },
};

process.on('disconnect', () => process.exit());
await ways[how]();
process.send('open');
