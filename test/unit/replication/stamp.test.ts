import type { WalEntry } from 'atomic-log';

import { requireInternal } from '../../support/internals';

type Batch = NonNullable<WalEntry['batch']>;
type Checksum = (data: Uint8Array) => number;

const { batchOf, checkStamp, crc32, crc32InScript, stampOf, textOfBatch } = requireInternal<{
  batchOf(text: string, lsn: number): Batch | undefined;
  checkStamp(stamp: string, data: Uint8Array): unknown;
  crc32: Checksum;
  crc32InScript: Checksum;
  stampOf(entry: { position: string; data: Buffer }): string;
  textOfBatch(batch: Batch): string;
}>('replication/stamp.js');

const position = '7:1:0000abcd:00112233445566778899aabbccddeeff';
const data = Buffer.from('123456789');
const stamp = `${position}:cbf43926`;

test.each([crc32, crc32InScript])('the published check value of CRC-32: %#', (checksum) => {
  expect(checksum(data)).toBe(0xcbf43926);
  expect(checksum(Buffer.alloc(0))).toBe(0);
});

test('a stamp is the position, and a checksum of the bytes', () => {
  expect(stampOf({ position, data })).toBe(stamp);
  expect(checkStamp(stamp, data)).toEqual({ position });
  expect(stampOf({ position, data: Buffer.alloc(0) })).toBe(`${position}:00000000`);
});

test('what is no stamp, or one of other bytes', () => {
  expect(checkStamp(stamp, Buffer.from('12345678'))).toEqual({ fault: 'damaged' });
  for (const text of ['', 'orders:7', position, `${stamp}0`, stamp.slice(1)])
    expect(checkStamp(text, data)).toEqual({ fault: 'none' });
});

test('batches as text', () => {
  expect(textOfBatch({ first: 5, count: 3 })).toBe('5/3');
  for (const lsn of [5, 6, 7]) expect(batchOf('5/3', lsn)).toEqual({ first: 5, count: 3 });
  for (const text of ['', '5', '5/', '-1/2', 'a/b', '0/9', '6/2', '1/4'])
    expect(batchOf(text, 5)).toBeUndefined();
});
