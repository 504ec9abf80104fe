// The ESM face of the one CommonJS core: two copies would have two states.
import core from './index.js';

export const { AtomicLog, Chunk, Cursor, Snapshot, VarColumn, Writer, bytes, json, structured, utf8 } = core;
