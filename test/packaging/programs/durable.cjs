// Writes records with checksums to a file, compressed and not, and reads them back.
const assert = require('node:assert');
const { rmSync } = require('node:fs');
const { join } = require('node:path');
const { AtomicLog, SegmentReader, SegmentWriter } = require('atomic-log');

const path = join(__dirname, 'records.seg');
let sum = 0;
for (const checksum of ['crc32c', 'crc32']) {
  const writer = SegmentWriter.createSync(path, { size: 1 << 20, compression: 'zstd', checksum });
  // Of all lengths for which the checksum takes another way.
  for (let i = 0; i < 100; ++i) writer.append(Buffer.alloc(1 + i * i, `record ${i} `));
  writer.syncSync();
  writer.closeSync();

  const reader = SegmentReader.open(path, { checksum });
  let i = 0;
  for (const { data } of reader.records()) {
    assert.deepEqual(data, Buffer.alloc(1 + i * i, `record ${i} `));
    sum += i++;
  }
  assert.equal(i, 100);
  reader.close();
  rmSync(path);
}
const log = new AtomicLog({ retainedCapacity: 10, segmentCapacity: 10 });
console.log(JSON.stringify({ sum: sum / 2, addonPath: log.handle.addonPath }));
