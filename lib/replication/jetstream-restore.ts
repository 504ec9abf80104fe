/** Makes a write-ahead log of what a stream has. */
import { checkObject } from '../base/checks';
import { plainError } from '../base/errors';
import { withDetails } from '../durable/errors';
import type { WalEntry } from '../durable/wal/entries';
import type { WalOptions } from '../durable/wal/options';
import type { WalPosition } from '../durable/wal/position';
import { Wal } from '../durable/wal/wal';
import { checkSubscribe, readStream, type SubscribeOptions } from './jetstream-reader';
import { checkConnection, JetStream, type NatsConnection } from './nats';
import { crc32 } from './stamp';

/** How a log is restored. */
export interface RestoreOptions extends Omit<SubscribeOptions, 'from' | 'batchEntries'> {
  /** Of the log that is made: see `Wal.open()`. */
  wal?: Omit<WalOptions, 'firstLsn'>;
}

/** What was restored. */
export interface Restored {
  readonly firstLsn: number;
  /** Below the stream's last one when that is within a batch. */
  readonly lastLsn: number;
  /** Of the last entry, in the log that was forwarded: what `subscribe()` goes on from. The new log has positions of its own. */
  readonly position: WalPosition | undefined;
}

/** One sync for all of them, in the end. */
const LATER = { durability: 'none' } as const;

/** Appends the entries in the batches that they were in. */
async function append(wal: Wal, entries: readonly WalEntry[]): Promise<void> {
  const pending: Promise<unknown>[] = [];
  for (let at = 0; at < entries.length;) {
    const { batch, data } = entries[at]!;
    let end = at + 1;
    while (batch !== undefined && entries[end]?.batch?.first === batch.first) ++end;
    const all = entries.slice(at, end).map((entry) => entry.data);
    pending.push(batch === undefined ? wal.append(data, LATER) : wal.appendBatch(all, LATER));
    at = end;
  }
  await Promise.all(pending);
}

/** A checksum over all entries: LSNs, then bytes. */
class Digest {
  value = 0;

  add({ lsn, data }: Pick<WalEntry, 'lsn' | 'data'>): void {
    const bytes = Buffer.alloc(16);
    bytes.writeDoubleLE(lsn, 0);
    bytes.writeUInt32LE(crc32(data), 8);
    bytes.writeUInt32LE(this.value, 12);
    this.value = crc32(bytes);
  }
}

function differs(path: string, why: string): Error {
  return withDetails(
    plainError(
      'ERR_CORRUPT',
      `${path}: ${why}; nothing can be trusted there: delete the directory, then restore again`,
    ),
    { path },
  );
}

/**
 * Makes a log of all entries that a stream has now, with their LSNs and batches, and
 * closes it: a machine that was lost, again. What was written is read back and compared. The log has an id of
 * its own, so forward it to a stream of its own too.
 *
 * ```ts
 * const { lastLsn } = await restore('orders', connection, { stream: 'orders' });
 * ```
 *
 * @throws (rejects) as `subscribe()` and `Wal.open()`; `ERR_FILE_EXISTS` when a log with entries is in the directory;
 * `ERR_CORRUPT` when what was written is not what is read
 */
export async function restore(
  directory: string,
  connection: NatsConnection,
  options: RestoreOptions,
): Promise<Restored> {
  const { wal: walOptions = {}, ...rest } = checkObject('options', options) as unknown as RestoreOptions;
  const checked = checkSubscribe(rest);
  const jetstream = await JetStream.over(checkConnection(connection), checked.place, checked.timeoutMs);
  const info = await jetstream.info(checked.stream);
  if (info === undefined)
    throw plainError('ERR_FILE_NOT_FOUND', `there is no stream ${checked.stream} to restore from`);
  const { first_seq, last_seq } = info.state;
  const firstLsn = Math.max(first_seq, 1);
  const wal = await Wal.open(directory, { ...walOptions, firstLsn });
  try {
    if (wal.lastLsn >= wal.firstLsn || wal.firstLsn !== firstLsn)
      throw plainError('ERR_FILE_EXISTS', `${directory}: a log is there; give an empty directory`);
    const given = new Digest();
    let position: WalPosition | undefined;
    if (last_seq >= firstLsn)
      for await (const entries of readStream(connection, checked, last_seq)) {
        await append(wal, entries);
        for (const entry of entries) given.add(entry);
        position = entries.at(-1)!.position;
      }
    await wal.sync();
    const found = new Digest();
    for (const entry of wal.entries()) found.add(entry);
    if (found.value !== given.value) throw differs(directory, 'what was written is not what the stream had');
    return { firstLsn, lastLsn: wal.lastLsn, position };
  } finally {
    await wal.close();
  }
}
