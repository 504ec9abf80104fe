// The ESM face of the one CommonJS core: two copies would have two states.
import core from './index.js';

export const {
  AtomicLog,
  Chunk,
  Cursor,
  FlushedOffset,
  SegmentReader,
  SegmentRecord,
  SegmentTail,
  SegmentWriter,
  Snapshot,
  VarColumn,
  Wal,
  WalReader,
  Writer,
  bytes,
  defineSchema,
  json,
  parseRecord,
  salvage,
  structured,
  utf8,
} = core;
