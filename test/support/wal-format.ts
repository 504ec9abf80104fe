/**
 * A reading of a write-ahead log's file that shares no code with the library:
 * docs/format.md in TypeScript. It knows nothing of recovery.
 */
import { crc } from './segments';

const HEADER_BYTES = 4096;
const HEAD_BYTES = 40;
const types = ['', 'DATA', 'BATCH', 'OPEN', 'SYNC', 'CHECKPOINT', 'SEAL'] as const;

export interface ParsedRecord {
  readonly offset: number;
  readonly checksum: number;
  readonly type: (typeof types)[number];
  readonly lsn: number;
  readonly durableOffset: number;
  readonly epoch: number;
  readonly branch: number;
  readonly entries: readonly { lsn: number; data: Buffer }[];
  /** Of a record without entries. */
  readonly values: readonly [number, number] | undefined;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function parseWalFile(file: Buffer) {
  const number = (at: number): number => Number(file.readBigUInt64LE(at));
  const block = file.subarray(0, HEADER_BYTES);
  if (block.toString('latin1', 0, 8) !== 'ATOMLWAL') throw new Error('no magic');
  if (crc('crc32c', block.subarray(0, 4092)) !== file.readUInt32LE(4092)) throw new Error('header checksum');
  const header = {
    version: file.readUInt32LE(8),
    features: file.readUInt32LE(12),
    logId: file.subarray(16, 32),
    fileNumber: number(32),
    fileBytes: number(40),
    baseLsn: number(48),
    epoch: file.readUInt32LE(56),
    branch: file.readUInt32LE(60),
    oldestLsn: number(64),
    oldestFile: number(72),
    previousEnd: number(80),
    previousNextBase: number(88),
    previousSealChecksum: file.readUInt32LE(96),
    metadata: file.subarray(104, 104 + file.readUInt32LE(100)),
  };
  if (header.fileBytes !== file.length) throw new Error('file length');

  const records: ParsedRecord[] = [];
  let offset = HEADER_BYTES;
  let { baseLsn: lsn, epoch, branch } = header;
  while (offset + HEAD_BYTES <= file.length && file.readUInt32LE(offset + 36) !== 0) {
    const head = file.subarray(offset, offset + HEAD_BYTES);
    const seed = [header.logId, u64(header.fileNumber), u64(offset)];
    if (crc('crc32c', ...seed, head.subarray(4)) !== head.readUInt32LE(0)) break;
    const bytes = head.readUInt32LE(4);
    const body = file.subarray(offset + HEAD_BYTES, offset + HEAD_BYTES + bytes);
    if (crc('crc32c', ...seed, body) !== head.readUInt32LE(32)) break;
    if (head.readUInt32LE(24) !== epoch) break;
    if (number(offset + 8) !== lsn) throw new Error(`LSN at ${offset}`);
    const type = types[head.readUInt32LE(36)]!;
    const count = head.readUInt32LE(28);
    const entries: { lsn: number; data: Buffer }[] = [];
    if (type === 'DATA') entries.push({ lsn, data: body });
    let at = 8 * count;
    for (let i = 0; type === 'BATCH' && i < count; ++i) {
      const data = body.subarray(at, at + body.readUInt32LE(8 * i));
      if (crc('crc32c', data) !== body.readUInt32LE(8 * i + 4)) throw new Error(`entry at ${offset}`);
      entries.push({ lsn: lsn + i, data });
      at += data.length;
    }
    if (type === 'BATCH' && at !== bytes) throw new Error(`batch at ${offset}`);
    const values: [number, number] | undefined =
      entries.length > 0 ? undefined : [number(offset + 40), number(offset + 48)];
    records.push({
      offset,
      checksum: head.readUInt32LE(0),
      type,
      lsn,
      durableOffset: number(offset + 16),
      epoch,
      branch,
      entries,
      values,
    });
    if (type === 'OPEN') [epoch, branch] = values!;
    lsn += entries.length;
    offset += Math.ceil((HEAD_BYTES + bytes) / 8) * 8;
    if (type === 'SEAL') break;
  }
  return {
    header,
    records,
    end: offset,
    nextLsn: lsn,
    isTailZero: file.subarray(offset).every((byte) => byte === 0),
  };
}
