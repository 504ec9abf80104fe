// What logs give out is easy to look at: Buffers, and texts for people.
import { inspect } from 'node:util';

import { salvage, Wal, WalReader } from 'atomic-log';

import { temporaryDirectory } from '../../../support/segments';
import { withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
/** The same as any other Buffer, for those that compare prototypes too. */
const isBuffer = (bytes: Uint8Array) => Object.getPrototypeOf(bytes) === Buffer.prototype;

test('what was appended and the metadata come back as Buffers', async () => {
  const wal = Wal.openSync(path(), { metadata: Buffer.from('shard 7') });
  await wal.append(new Uint8Array([101, 48]));
  await wal.appendBatch([Buffer.from('debit'), Buffer.alloc(0), Buffer.from('credit')]);
  const expected = ['e0', 'debit', '', 'credit'];
  const look = async (log: Wal | WalReader) => {
    const entries = [...log.entries()];
    expect(entries.map(({ data }) => data.toString())).toEqual(expected);
    expect(entries.map(({ data }) => isBuffer(data))).toEqual([true, true, true, true]);
    const found = log.get(2)!.data;
    expect([found.toString('latin1'), isBuffer(found)]).toEqual(['debit', true]);
    expect([log.metadata.toString(), isBuffer(log.metadata)]).toEqual(['shard 7', true]);
    for await (const batch of log.follow()) {
      expect(batch.map(({ data }) => data.toString())).toEqual(expected);
      expect(batch.every(({ data }) => isBuffer(data))).toBe(true);
      break;
    }
  };
  await look(wal);
  // No copy: entries that were read together share memory.
  expect(new Set([...wal.entries()].map(({ data }) => data.buffer)).size).toBe(1);
  // What is given out can be written to without changing the log's own.
  wal.metadata.fill(0);
  expect(wal.metadata.toString()).toBe('shard 7');
  await wal.close();
  using reader = WalReader.open(path());
  await look(reader);
  expect([...salvage(path())].map((found) => ('data' in found ? found.data.toString() : found))).toEqual(
    expected,
  );
});

test('the objects say what they are', () => {
  const wal = Wal.openSync(path());
  for (let lsn = 1; lsn <= 5; ++lsn) wal.appendSync(Buffer.from('x'));
  wal.checkpointSync(2);
  wal.write(Buffer.from('x'));
  expect(inspect(wal)).toBe(`Wal { path: '${path()}', firstLsn: 3, lastLsn: 6, durableLsn: 5 }`);
  expect(inspect({ wal }, { depth: 0 })).toContain('Wal');
  wal.closeSync();
  expect(String(wal)).toBe(`Wal { path: '${path()}', closed, firstLsn: 3, lastLsn: 6, durableLsn: 6 }`);
  const reader = WalReader.open(path());
  expect(inspect(reader)).toBe(`WalReader { path: '${path()}', firstLsn: 3, lastLsn: 6, provedLsn: 6 }`);
  reader.close();
  expect(String(reader)).toBe(
    `WalReader { path: '${path()}', closed, firstLsn: 3, lastLsn: 6, provedLsn: 6 }`,
  );
  for (const object of [wal, reader]) expect(inspect(Object.create(object))).toMatch(/seen through another/);
  withWal(path(), (again) => expect(again.get(3)!.data).toEqual(Buffer.from('x')));
});
