/**
 * The files of a log, as the addon tells of them (NativeWalEntries.files). A log may
 * have thousands: objects are made only of those that are asked for.
 */
import { FILE_FIELDS, FileField } from '../../base/codes';
import { join } from 'node:path';

import type { WalFile } from './options';

export class FileTable {
  /** For each file, oldest first: number, first LSN, bytes, where its records end. */
  readonly #fields: Float64Array;

  constructor(fields: Float64Array) {
    this.#fields = fields;
  }

  get length(): number {
    return this.#fields.length / FILE_FIELDS;
  }

  numberOf(index: number): number {
    return this.#fields[FILE_FIELDS * index + FileField.number]!;
  }

  firstLsnOf(index: number): number {
    return this.#fields[FILE_FIELDS * index + FileField.baseLsn]!;
  }

  bytesOf(index: number): number {
    return this.#fields[FILE_FIELDS * index + FileField.bytes]!;
  }

  /** Up to the end of what was written to it. */
  usedBytesOf(index: number): number {
    return this.#fields[FILE_FIELDS * index + FileField.endOffset]!;
  }

  /** Files with numbers between the two, oldest first. */
  filesOf(directory: string, lastLsn: number, after = 0, before = Infinity): WalFile[] {
    const files: WalFile[] = [];
    let last = lastLsn;
    for (let i = this.length - 1; i >= 0 && this.numberOf(i) > after; --i) {
      const number = this.numberOf(i);
      const firstLsn = this.firstLsnOf(i);
      if (number < before) {
        const path = join(directory, `wal-${String(number).padStart(6, '0')}.log`);
        files.push({ path, number, firstLsn, lastLsn: Math.max(last, firstLsn - 1), bytes: this.bytesOf(i) });
      }
      // What comes later takes back what is above its base.
      last = Math.min(last, firstLsn - 1);
    }
    return files.reverse();
  }
}
