/** One record in bytes that a user has: read without a file. */
import { IoCode, Outcome } from '../../base/codes';
import { checksumMismatch, outsideOfRecords, segmentError } from '../errors';
import { checkOffset } from '../options';
import { checkFormat, checkSegmentOptions, DATA_BYTES_MAX } from './options';
import { makeRecord, SegmentRecord } from './record';
import { checkBytes } from '../../base/checks';
import { addon } from '../../base/native';
import { typedArrayBuffer, typedArrayByteOffset } from '../../base/typed-array';

/** What {@link parseRecord} must know. */
export interface ParseOptions {
  headerSize?: number;
  checksum?: 'crc32c' | 'crc32';
}

/**
 * The record at `offset` of bytes in memory: those of a segment file, however
 * they came here. Its Buffers are views of `bytes`.
 *
 * @throws `ERR_CHECKSUM_MISMATCH`, `ERR_END_OF_LOG`, `ERR_OUT_OF_RANGE`,
 * `ERR_INVALID_ARG_TYPE`
 */
export function parseRecord(bytes: Uint8Array, offset: number, options?: ParseOptions): SegmentRecord {
  const length = checkBytes('bytes', bytes);
  checkOffset('offset', offset);
  const { headerSize, checksum } = checkFormat(checkSegmentOptions(options));
  const result = addon.parseRecord(bytes, offset, headerSize, checksum);
  if (result === -Outcome.checksum) throw checksumMismatch('bytes', offset);
  if (result === -Outcome.noRecord) {
    const nothing = { io: IoCode.ok, systemError: 0, operation: '', value: 0, detail: '' };
    throw segmentError({ ...nothing, outcome: Outcome.noRecord, path: 'bytes', offset });
  }
  if (result < 0) throw outsideOfRecords('bytes', offset, length);
  const source = {
    memory: typedArrayBuffer(bytes),
    headerSize,
    dataBytesMax: DATA_BYTES_MAX,
    isClosed: false,
  };
  return new SegmentRecord(makeRecord, source, typedArrayByteOffset(bytes) + offset, result, offset);
}
