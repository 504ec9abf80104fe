// An event store over two threads: this one appends events to a segment file and
// makes them durable in groups; a worker builds a view of them as they come,
// and survives a restart, because it reads them all again.
//
//   node examples/event-store.mjs [file]
import { existsSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { FlushedOffset, SegmentReader, SegmentWriter } from 'atomic-log';

const SIZE = 1 << 20;
/** Each record has the time of its event as a header. */
const HEADER = { headerSize: 8 };

function time() {
  const header = Buffer.alloc(8);
  header.writeDoubleLE(Date.now());
  return header;
}

async function append() {
  const path = process.argv[2] ?? 'events.seg';
  const writer = existsSync(path)
    ? await SegmentWriter.open(path, { size: SIZE, ...HEADER })
    : await SegmentWriter.create(path, { size: SIZE, ...HEADER });
  console.log(`${path}: ${writer.recovery?.records ?? 0} events so far, ${writer.remaining} bytes left`);

  const view = new Worker(fileURLToPath(import.meta.url), {
    workerData: {
      path,
      flushed: writer.flushedOffset.handle,
      events: 1000 + (writer.recovery?.records ?? 0),
    },
  });
  view.once('message', (balances) => {
    console.log('balances:', balances);
    void writer.close();
  });

  const accounts = ['ada', 'ben', 'cyd'];
  for (let i = 0; i < 1000; ++i) {
    const event = { account: accounts[i % 3], amount: (i % 7) - 3 };
    writer.append(Buffer.from(JSON.stringify(event)), time());
    // A group commit: one sync makes all of them durable, and shows them to the view.
    if (i % 100 === 99) await writer.sync();
  }
}

function keepView({ path, flushed, events }) {
  const durable = FlushedOffset.attach(flushed);
  const reader = SegmentReader.open(path, { flushed: durable, ...HEADER });
  const records = reader.records();
  const balances = {};
  let seen = 0;
  let offset = 0;
  while (seen < events) {
    for (const record of records) {
      const { account, amount } = JSON.parse(record.data.toString());
      balances[account] = (balances[account] ?? 0) + amount;
      offset = record.offset + record.length;
      ++seen;
    }
    if (seen < events) durable.waitSync(offset);
  }
  reader.close();
  parentPort.postMessage(balances);
}

if (isMainThread) await append();
else keepView(workerData);
