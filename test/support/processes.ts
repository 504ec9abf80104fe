import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';

import { AtomicLog } from 'atomic-log';

import { Mismatch, SharedOutcome, type IoCode } from '../../lib/base/codes';
import type * as ErrorsModule from '../../lib/processes/errors';
import { requireInternal } from './internals';
import { crc } from './segments';

/** Whether the runtime allows external memory, whatever ATOMIC_LOG_MAPPING says. */
function allowsExternalMemory(): boolean {
  try {
    new AtomicLog({ retainedCapacity: 1, segmentCapacity: 1, mapping: 'external' }).close();
    return true;
  } catch {
    return false;
  }
}

/** Why there are no logs that processes share: the code of the error, and what its message says. */
export const processesRefused: readonly [code: 'ERR_MAPPING_UNAVAILABLE', message: RegExp] | undefined =
  process.platform !== 'win32' || allowsExternalMemory()
    ? undefined
    : ['ERR_MAPPING_UNAVAILABLE', /mapped over/];

/** Where the mappings of a process can be looked at. */
export const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

/** How often a file is mapped in this process. */
export function mappingsOf(path: string): number {
  const inode = ` ${statSync(path).ino} `;
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(inode)).length;
}

/** What is in the directory; but Windows keeps a file without its name for as long as it is mapped. */
export const namesIn = (directory: string): string[] =>
  readdirSync(directory).filter((name) => !name.startsWith('.atomic-log-old-'));

export const describeProcesses = processesRefused === undefined ? describe : describe.skip;

/** Changes the header of a log's file in place, and its checksum with it. */
export function changeHeader(path: string, change: (header: Buffer) => void): void {
  const file = readFileSync(path);
  const header = file.subarray(0, file.readUInt32LE(16));
  change(header);
  header.writeUInt32LE(0, 20);
  header.writeUInt32LE(crc('crc32c', header), 20);
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, header, 0, header.length, 0);
  closeSync(descriptor);
}

/** The file is of an earlier run of the system then. */
export const changeBootId = (header: Buffer): void => void (header[96]! ^= 1);

/** The error of an opening that the system refuses. */
export function openingRefused(
  path: string,
  io: IoCode,
  systemError: number,
  asked: Parameters<typeof ErrorsModule.openFailed>[2],
): Error {
  const { openFailed } = requireInternal<typeof ErrorsModule>('processes/errors.js');
  const { io: outcome } = SharedOutcome;
  return openFailed(
    path,
    { outcome, mismatch: Mismatch.none, found: 0, io, systemError, operation: 'open' },
    asked,
  );
}
