/**
 * Which processes have a log open that processes share. The kernel does not say whose a lock of an open file is
 * (`/proc/locks` has -1), but each process shows the locks of its own files: in `/proc/PID/fdinfo`. Nothing is
 * opened, and no file system but that one is asked. Processes of other users, and of other PID namespaces, are not seen.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';

/** As src-native/core/platform/shared_file_posix.cc and core/shared_memory/shared_format.h number them. */
const FIRST_LOCK = 1n << 62n;
const WRITER_LOCK = 0;
const FIRST_SLOT_LOCK = 16;

/** A line such as `lock:\t1: OFDLCK ADVISORY  WRITE -1 00:1b:239024 4611686018427387904 4611686018427387904`. */
const lockLine = /^lock:\s+\d+: OFDLCK +\w+ +WRITE +-?\d+ ([\da-f]+):([\da-f]+):(\d+) (\d+) \d+$/gm;

export interface LockHolders {
  /** Id of the process that has the claim. */
  writer?: number;
  /** Ids by slot. */
  readonly slots: Map<number, number>;
}

/** What cannot be read, for lack of rights or because it has gone, is empty. */
function attempt<R>(read: () => R, otherwise: R): R {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Major and minor number and inode of the file, as the lines have them. */
function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${minor}:${ino}`;
}

export function lockHolders(path: string): LockHolders {
  const wanted = identityOf(path);
  const holders: LockHolders = { slots: new Map() };
  for (const pid of attempt(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name))) {
    for (const file of attempt(() => readdirSync(`/proc/${pid}/fdinfo`), [])) {
      const text = attempt(() => readFileSync(`/proc/${pid}/fdinfo/${file}`, 'latin1'), '');
      for (const [, major, minor, inode, start] of text.matchAll(lockLine)) {
        if (`${parseInt(major!, 16)}:${parseInt(minor!, 16)}:${inode}` !== wanted) continue;
        const lock = Number(BigInt(start!) - FIRST_LOCK);
        if (lock === WRITER_LOCK) holders.writer = Number(pid);
        if (lock >= FIRST_SLOT_LOCK) holders.slots.set(lock - FIRST_SLOT_LOCK, Number(pid));
      }
    }
  }
  return holders;
}
