/** The options of a journaled log: those of a log in memory, and those of the write-ahead log below it. */
import { checkNames, checkObject } from '../base/checks';
import { invalidType, typeError, type AtomicLogError } from '../base/errors';
import { checkWalOptions, ofJournal, optionNames as walNames, type WalOptions } from '../durable/wal/options';
import { checkPath } from '../durable/options';
import { checkOptions, optionNames, type CheckedOptions } from '../memory/options';

/** Where the entries of a journaled log are written, and how: as `Wal.open()` says, without metadata. */
export interface JournalPlace extends Omit<WalOptions, 'metadata'> {
  /** The directory. It, and those above it, are made when they are missing. */
  path: string;
}

/** What {@link AtomicLogConstructor.open} takes besides the options of a log in memory. */
export interface JournalOptions {
  /**
   * The directory of the write-ahead log, or options of it. `durability` says how durable entries become by
   * themselves: with `'full'` (default) they are synced at once, many together, while appending goes on; otherwise
   * when `durable()` or `sync()` asks for it. `bytesInFlightMax` is what may wait for the disk: an append beyond it
   * waits. With `retainBytes` the oldest files go even if the window still has their entries: it is then
   * smaller after the next opening.
   */
  wal: string | JournalPlace;
  /** It is that of the log on disk. */
  firstIndex?: undefined;
}

/** What `AtomicLog.attach()` takes besides other options, for the handle of a journaled log. */
export interface JournalAttachOptions {
  /**
   * The directory of the log's write-ahead log: entries that have left the window are read from there, as far as
   * they are proved to be on disk.
   */
  wal: string;
}

const memoryNames = optionNames.filter((name) => name !== 'firstIndex');

export interface CheckedJournaled {
  readonly path: string;
  readonly wal: Omit<WalOptions, 'metadata'>;
  readonly memory: CheckedOptions;
}

/** Checks the options. Reads each of them once. `canWait`: whether the caller returns a promise. */
export function checkJournaledOptions(options: unknown, canWait: boolean): CheckedJournaled {
  const given = checkObject('options', options);
  for (const name of Object.keys(given)) {
    if (name !== 'metadata' && walNames.some((other) => other === name)) throw misplaced(name);
  }
  checkNames('options', given, [...memoryNames, 'wal']);
  // It may be the instance of a class.
  const memory = Object.fromEntries(memoryNames.map((name) => [name, given[name]]));
  return { ...checkPlace(given.wal, canWait), memory: checkOptions(memory) };
}

function misplaced(name: string): AtomicLogError {
  return typeError(
    'ERR_INVALID_ARG_VALUE',
    `options has no option "${name}"; it is one of the write-ahead log: wal: { path, ${name} }`,
  );
}

function checkPlace(wal: unknown, canWait: boolean): Pick<CheckedJournaled, 'path' | 'wal'> {
  if (typeof wal === 'string') return { path: checkPath(wal, 'options.wal'), wal: {} };
  if (typeof wal !== 'object' || wal === null) {
    throw invalidType('options.wal', 'the path of a directory, or an object with one as path', wal);
  }
  const { path, ...rest } = wal as Record<string, unknown>;
  if ('metadata' in rest) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      'options.wal has no option "metadata": that of a journaled log says what its entries are',
    );
  }
  const checkedPath = checkPath(path, 'options.wal.path');
  checkWalOptions(checkedPath, rest, canWait, ofJournal);
  return { path: checkedPath, wal: rest };
}
