/** Which kind of log a path leads to, by what is there. Needs no addon. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { codeOf } from '../base/errors';
import type { SegmentOptions } from '../durable/segment/options';

export type Kind = 'wal' | 'segment' | 'shared';

/** Names of files in a directory of a write-ahead log, next to LOCK. */
const walName = /^wal-\d{1,15}\.log(\.new|\.torn-\d+)?$/;
/** How files of write-ahead logs begin, and those of logs that processes share. */
const WAL_MAGIC = 'ATOMLWAL';
const SHARED_MAGIC = 'ATOMLOG\x1a';

/** Bytes of a file; fewer where it ends, none where it cannot be read: opening the log tells why. */
export function readBytes(path: string, offset: number, bytes: number): Buffer {
  const found = Buffer.alloc(bytes);
  try {
    const file = openSync(path, 'r');
    try {
      return found.subarray(0, readSync(file, found, 0, bytes, offset));
    } finally {
      closeSync(file);
    }
  } catch {
    return found.subarray(0, 0);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    const reason = isMissing ? 'there is no such file or directory' : (error as Error).message;
    throw new Error(
      `${path}: ${reason}; give a segment file, the directory of a write-ahead log or the file of a log that processes share`,
      { cause: error },
    );
  }
}

/** How the file begins; empty for what is not a file, because a pipe would be waited for. */
function magicOf(path: string): string {
  return statSync(path).isFile() ? readBytes(path, 0, WAL_MAGIC.length).toString('latin1') : '';
}

/** A path that names a file of a write-ahead log means its directory. */
function refuseWalFile(path: string): void {
  const directory = dirname(path);
  const isNamedSo = walName.test(basename(path)) && existsSync(join(directory, 'LOCK'));
  if (!isNamedSo && magicOf(path) !== WAL_MAGIC) return;
  throw new Error(`${path}: this is a file of a write-ahead log; give its directory, ${directory}`);
}

/** What is at `path`. Options of the other kind are refused: they mean something else. */
export function kindOf(path: string, options: SegmentOptions): Kind {
  if (!isDirectory(path)) {
    refuseWalFile(path);
    if (magicOf(path) !== SHARED_MAGIC) return 'segment';
    if (Object.keys(options).length === 0) return 'shared';
    throw new Error(
      `${path}: processes share this log; --start-offset, --header-size and --checksum are for segment files`,
    );
  }
  if (Object.keys(options).length > 0) {
    throw new Error(
      `${path}: this is a directory; --start-offset, --header-size and --checksum are for segment files`,
    );
  }
  if (!readdirSync(path).some((name) => /^wal-\d{1,15}\.log$/.test(name))) {
    throw new Error(
      `${path}: no write-ahead log is in this directory: it has no file like wal-000001.log; check the path`,
    );
  }
  return 'wal';
}

/** For commands that know no logs that processes share. */
export function kindOnDisk(path: string, options: SegmentOptions, command: string): Exclude<Kind, 'shared'> {
  const kind = kindOf(path, options);
  if (kind !== 'shared') return kind;
  throw new Error(
    `${path}: processes share this log, in memory; ${command} is for logs on disk. inspect, dump, tail and watch read it`,
  );
}
