/** The unit F: the system calls that a durable append cannot do without, on the same disk. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';

export const FILE_BYTES = 8 << 20;

/** What one entry of a write-ahead log takes in its file. */
export const recordBytes = (entryBytes) => Math.ceil((entryBytes + 40) / 8) * 8;

/** A file that was written with zeros, so that a write changes no metadata. */
export function bareFile(path) {
  const file = openSync(path, 'w+');
  const zeros = Buffer.alloc(1 << 20);
  for (let at = 0; at < FILE_BYTES; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at);
  fdatasyncSync(file);
  let at = 0;
  return {
    /** Each of so many writes is durable before the next. */
    run(writes, bytes) {
      const data = Buffer.alloc(bytes, 7);
      for (let i = 0; i < writes; ++i) {
        if (at + bytes > FILE_BYTES) at = 0;
        writeSync(file, data, 0, bytes, at);
        fdatasyncSync(file);
        at += bytes;
      }
    },
    close: () => closeSync(file),
  };
}
