/** Copying a log while it is written. */
import { access, copyFile, link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { plainError } from './errors';
import type { WalFile } from './wal-options';

const COPY_BYTES = 1 << 20;

function isCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Makes names durable, where the system can. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.sync();
  await file.close();
}

/** The first `end` bytes, and zeros up to the length that the header says. */
async function copyPrefix(from: FileHandle, to: string, end: number, bytes: number): Promise<void> {
  const target = await open(to, 'wx');
  try {
    const buffer = Buffer.alloc(Math.min(end, COPY_BYTES));
    for (let at = 0; at < end;) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - at), at);
      if (bytesRead === 0) throw plainError('ERR_IO', `${to}: the source is shorter than it was`);
      await target.write(buffer, 0, bytesRead, at);
      at += bytesRead;
    }
    await target.truncate(bytes);
    await target.sync();
  } finally {
    await target.close();
  }
}

/**
 * Copies files that are complete, by a second name where the file system has
 * such, and the newest one up to `end`. The directory appears when it is whole.
 */
export async function copyLog(files: readonly WalFile[], end: number, target: string): Promise<void> {
  const partial = `${target}.partial`;
  await mkdir(dirname(target), { recursive: true });
  for (const path of [target, partial]) {
    if (await exists(path))
      throw plainError('ERR_FILE_EXISTS', `${path} exists already; give another path, or move it`);
  }
  const newest = files.at(-1)!;
  // Open before a checkpoint lets go of any: what is open can be read to its end.
  const source = await open(newest.path, 'r');
  try {
    await mkdir(partial);
    for (const { path } of files.slice(0, -1)) await linkOrCopy(path, join(partial, basename(path)));
    await copyPrefix(source, join(partial, basename(newest.path)), end, newest.bytes);
    await syncDirectory(partial);
    await rename(partial, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    await source.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    return !isCode(error, 'ENOENT');
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (isCode(error, 'ENOENT')) throw error;
    // Another file system, or one without links.
    await copyFile(from, to);
    await syncFile(to);
  }
}
