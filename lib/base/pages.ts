/** Which page of the documents helps with an error; docs/errors.md links to the same places. */
import type { ErrorCode } from './errors';

/** Below docs/ of the package. Codes that one sentence helps with have none. */
const pages: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_ADDON_UNAVAILABLE: 'packaging.md',
  ERR_CHECKSUM_MISMATCH: 'segments.md#when-something-fails',
  ERR_CORRUPT: 'operations.md#a-damaged-log',
  ERR_CURSOR_DAMAGED: 'durability.md#cursors',
  ERR_DIRECTORY_REPLACED: 'operations.md#a-directory-that-was-replaced',
  ERR_FILE_REPLACED: 'operations.md#a-file-that-was-replaced',
  ERR_FOREIGN_HANDLE: 'processes.md',
  ERR_LOCKED: 'operations.md#locked',
  ERR_LOG_DAMAGED: 'processes.md#what-it-trusts',
  ERR_READ_ONLY: 'processes.md#reading-only-and-after-a-crash',
  ERR_MAPPING_UNAVAILABLE: 'electron.md#what-is-different',
  ERR_NO_SPACE: 'operations.md#a-full-disk',
  ERR_PINNED_BYTES: 'memory.md#what-to-know',
  ERR_PLATFORM_UNSUPPORTED: 'runtimes.md',
  ERR_POISONED: 'operations.md#poisoned',
  ERR_TARGET_AHEAD: 'replication.md#what-it-does',
  ERR_TARGET_BEHIND: 'replication.md#what-it-does',
  ERR_TARGET_DIFFERS: 'replication.md#what-it-does',
  ERR_TORN_TAIL: 'operations.md#a-damaged-log',
  ERR_VALUE_TOO_LARGE: 'sizing.md#strings-and-bytes',
};

/** The end of a message: the page, as it lies in node_modules and in the repository; empty where there is none. */
export function seePage(code: ErrorCode): string {
  const page = pages[code];
  return page === undefined ? '' : ` (see atomic-log/docs/${page})`;
}
