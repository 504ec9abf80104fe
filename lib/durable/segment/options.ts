/** What one must know of a segment file to use it, and how a writer makes or opens one: options, checked. */
import { Crc32Kind } from '../../base/codes';
import type {
  NativeFailure,
  NativeRecovery,
  NativeSegmentCreation,
  NativeSegmentOpening,
} from '../../../types/native';
import { checkChoice, checkFlag, optionsOf } from '../../base/checks';
import { plainError } from '../../base/errors';
import { addon } from '../../base/native';
import { newBytes, segmentError } from '../errors';
import { checkOffset, checkPath } from '../options';
import { FlushedOffset } from './flushed-offset';

/** What one must know to read a segment file; it is not written into it. */
export interface SegmentOptions {
  /** Bytes at the beginning of the file that are the application's own. Default: 0. */
  startOffset?: number;
  /** Bytes of the header that every record has. Default: 0. */
  headerSize?: number;
  /**
   * `'crc32c'` (Castagnoli, the default), or `'crc32'` (ISO-HDLC) for files of
   * the Rust crate seglog, which says the one and computes the other.
   */
  checksum?: 'crc32c' | 'crc32';
}

/** Decompressed data has no more bytes than this, unless the options say otherwise. */
export const DATA_BYTES_MAX = 64 << 20;

export interface SegmentFormat {
  readonly startOffset: number;
  readonly headerSize: number;
  readonly checksum: Crc32Kind;
}

/** kBufferBytes of core/durable/segment/segment_writer.h. */
const BUFFER_BYTES = 262_144;
const HEADER_SIZE_MAX = 65_536;
/** Whether data of 128 bytes or more is compressed, where that makes it shorter. */
export type Compression = 'none' | 'zstd';

/** How {@link SegmentWriter.create} makes a file. */
export interface SegmentCreateOptions extends SegmentOptions {
  /** Bytes of the file. Its length never changes. */
  size: number;
  /** What {@link SegmentWriter.compression} begins with. Default: `'none'`. */
  compression?: Compression;
}

/** How {@link SegmentWriter.open} opens a file. */
export interface SegmentOpenOptions extends SegmentOptions {
  /** The length that the file must have. An interrupted creation is finished then. */
  size?: number;
  /** What is known to have been durable: damage below it is an error, and it is not written again. */
  durableOffset?: number;
  /** The file is complete: any damage is an error. */
  sealed?: boolean;
  /** What {@link SegmentWriter.compression} begins with. Default: `'none'`. */
  compression?: Compression;
  /** Quarantine everything when no record is at `startOffset`, instead of refusing the file. */
  discardUnreadable?: boolean;
}

/** What {@link SegmentWriter.open} found and did. */
export interface SegmentRecoveryReport {
  /** Intact records. */
  readonly records: number;
  /** Bytes after them that were not records: they were moved to the quarantine file, and are zero now; 0 for a clean end. */
  readonly quarantinedBytes: number;
  /** Where they began: the end of the log. */
  readonly offset: number;
  /** Bytes of intact records among them: more than a torn write leaves. */
  readonly validBytesAfter: number;
  /** The quarantine file, which keeps them; undefined when there were none. */
  readonly quarantinePath: string | undefined;
}

/** Of all calls for segment files, so that one object of options serves them all. */
const optionNames = [
  'startOffset',
  'headerSize',
  'checksum',
  'size',
  'compression',
  'durableOffset',
  'sealed',
  'discardUnreadable',
  'flushed',
  'mode',
  'dataBytesMax',
  'from',
];

export function checkSegmentOptions(options: unknown): Readonly<Record<string, unknown>> {
  return optionsOf('options', options, optionNames);
}

const checksums = { crc32c: Crc32Kind.castagnoli, crc32: Crc32Kind.isoHdlc };

export function checkFormat(options: Readonly<Record<string, unknown>>): SegmentFormat {
  const { startOffset = 0, headerSize = 0, checksum } = options;
  return {
    startOffset: checkOffset('options.startOffset', startOffset),
    headerSize: checkOffset('options.headerSize', headerSize, 0, HEADER_SIZE_MAX),
    checksum: checksums[checkChoice('options.checksum', checksum, ['crc32c', 'crc32'])],
  };
}

/** What the addon returned, unless it is a failure. */
export function orThrow<T extends object>(result: T | NativeFailure): T {
  if ('outcome' in result) throw segmentError(result);
  return result;
}

/** Whether to compress. */
export function checkCompression(what: string, compression: unknown): boolean {
  if (checkChoice(what, compression, ['none', 'zstd']) === 'none') return false;
  if (addon.hasCompression) return true;
  throw plainError(
    'ERR_COMPRESSION_UNAVAILABLE',
    'the addon was built where the npm registry could not be reached, so without zstd; ' +
      "build it again where it can be ('npx atomic-log build'), or use 'none'",
  );
}

/** What a writer is made of, all checked. */
export interface WriterOptions {
  readonly path: string;
  readonly format: SegmentFormat;
  readonly flushed: FlushedOffset;
  /** The memory of its AppendBuffer. */
  readonly buffer: Uint8Array;
  readonly compresses: boolean;
}

export function checkCreation(
  path: unknown,
  options: unknown,
): WriterOptions & { native: NativeSegmentCreation } {
  const file = checkPath(path);
  const given = checkSegmentOptions(options);
  const format = checkFormat(given);
  const size = checkOffset('options.size', given.size, format.startOffset + 1);
  const compresses = checkCompression('options.compression', given.compression);
  const flushed = new FlushedOffset();
  const buffer = newBytes(BUFFER_BYTES, file);
  const native = { path: file, ...format, size, cells: flushed.cells, buffer };
  return { path: file, format, flushed, buffer, compresses, native };
}

export function checkOpening(
  path: unknown,
  options: unknown,
): WriterOptions & { native: NativeSegmentOpening } {
  const file = checkPath(path);
  const given = checkSegmentOptions(options);
  const format = checkFormat(given);
  const { size, durableOffset = 0 } = given;
  const compresses = checkCompression('options.compression', given.compression);
  const flushed = new FlushedOffset();
  const buffer = newBytes(BUFFER_BYTES, file);
  const native = {
    path: file,
    ...format,
    size: size === undefined ? null : checkOffset('options.size', size, format.startOffset + 1),
    durableOffset: checkOffset('options.durableOffset', durableOffset),
    isSealed: checkFlag('options.sealed', given.sealed),
    discardUnreadable: checkFlag('options.discardUnreadable', given.discardUnreadable),
    cells: flushed.cells,
    buffer,
  };
  return { path: file, format, flushed, buffer, compresses, native };
}

export function toReport(recovery: NativeRecovery): SegmentRecoveryReport {
  const { records, endOffset, quarantinedBytes, validBytesAfter, quarantinePath } = recovery;
  return {
    records,
    offset: endOffset,
    quarantinedBytes: quarantinedBytes,
    validBytesAfter,
    quarantinePath: quarantinedBytes > 0 ? quarantinePath : undefined,
  };
}
