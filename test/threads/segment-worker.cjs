// The worker of segments.test.ts: does what workerData.role says.
'use strict';

const { parentPort, workerData } = require('node:worker_threads');
const { FlushedOffset, SegmentReader, SegmentWriter } = require('../../dist/index.js');

/** Record number `i` is its number, and some bytes. */
function recordOf(i) {
  const bytes = Buffer.alloc(4 + ((i * 37) % 300), i & 255);
  bytes.writeUInt32LE(i);
  return bytes;
}

const roles = {
  /** Reads every record once it is durable, and checks it. */
  read({ path, flushed, records, mode }) {
    const durable = FlushedOffset.attach(flushed);
    const reader = SegmentReader.open(path, { flushed: durable, mode });
    const iterator = reader.records();
    let next = 0;
    let end = 0;
    parentPort.postMessage('reading');
    while (next < records) {
      for (const { data, offset, length } of iterator) {
        if (!recordOf(next).equals(data)) throw new Error(`record ${next} is another`);
        if (offset + length > durable.value) throw new Error(`record ${next} was not durable`);
        end = offset + length;
        ++next;
      }
      if (next < records) durable.waitSync(end, 1000);
    }
    reader.close();
    parentPort.postMessage(next);
  },

  /** Has the file open until it is terminated. */
  hold({ path }) {
    const writer = SegmentWriter.openSync(path);
    writer.append(recordOf(0));
    writer.flush();
    parentPort.postMessage('open');
    setInterval(() => {}, 1 << 30);
  },

  /** Writes, syncs in every way and reads, for ever. */
  async busy({ path, size }) {
    const writer = SegmentWriter.openSync(path, { size });
    const reader = SegmentReader.open(path, { flushed: writer.flushedOffset });
    let next = writer.recovery.records;
    parentPort.postMessage('busy');
    for (;;) {
      const syncs = [];
      for (let i = 0; i < 20; ++i) {
        const data = recordOf(next);
        if (data.length + 8 > writer.remaining) {
          writer.setLengthSync(0);
          next = 0;
          continue;
        }
        writer.append(data);
        ++next;
        if (i % 5 === 0) syncs.push(writer.sync());
      }
      for (const { data } of reader.records()) if (data.length < 4) throw new Error('too short');
      await Promise.all(syncs);
    }
  },

  /** Opens, writes and closes without blocking, for ever. */
  async opening({ path, size }) {
    parentPort.postMessage('opening');
    for (;;) {
      const writer = await SegmentWriter.open(path, { size });
      if (writer.remaining < 400) writer.setLengthSync(0);
      writer.append(recordOf(writer.writeOffset === 0 ? 0 : 1));
      await Promise.all([writer.sync(), writer.close()]);
    }
  },
};

roles[workerData.role](workerData);
