/** What the process is: the package's version, its environment, and the C library of Linux. */
import { closeSync, openSync, readSync } from 'node:fs';

/** The package's version. Not read from package.json, which bundles do not have. */
export const version = '0.1.0';

/**
 * A variable of the environment. Deno refuses to read them without `--allow-env`,
 * and the library works without any of them: one that may not be read is not set.
 */
export function environmentVariable(name: string): string | undefined {
  try {
    const value = process.env[name];
    return value === '' ? undefined : value;
  } catch {
    return undefined;
  }
}

const PT_INTERP = 3;

function read(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, position));
}

/** The dynamic loader that an ELF program (64 bits, little endian) asks for. */
export function interpreterOf(path: string): string | undefined {
  const file = openSync(path, 'r');
  try {
    const header = read(file, 0, 64);
    if (header.length < 64 || header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
    const entryBytes = header.readUInt16LE(54);
    const table = read(file, Number(header.readBigUInt64LE(32)), entryBytes * header.readUInt16LE(56));
    for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
      if (table.readUInt32LE(at) !== PT_INTERP) continue;
      const offset = Number(table.readBigUInt64LE(at + 8));
      const length = Number(table.readBigUInt64LE(at + 32));
      return read(file, offset, Math.min(length, 4096)).toString('latin1').replace(/\0.*$/s, '');
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

/**
 * A binary is made for one C library, and glibc's may even load on musl and fail
 * later. Called only where both would do. The report is the second choice: it costs
 * milliseconds, and waits for every worker to answer.
 *
 * Not detect-libc: it loads node:child_process (20 ms at every start, against 1 ms
 * here), and starts a shell where the files say nothing.
 */
export function runsOnMusl(program: string = process.execPath): boolean {
  try {
    const interpreter = interpreterOf(program);
    if (interpreter !== undefined) return interpreter.includes('/ld-musl-');
  } catch {
    // The permission model may forbid to read the program.
  }
  try {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
    return header.glibcVersionRuntime === undefined;
  } catch {
    // Deno without --allow-sys. It is made for glibc only.
    return false;
  }
}
