/** What a target says that it has, compared with the log. */
import { codeOf, describe } from '../base/errors';
import { pastOf, type WalPosition } from '../durable/wal/position';
import type { WalReader } from '../durable/wal/reader';
import type { Wal } from '../durable/wal/wal';
import { targetAhead, targetBehind, targetDiffers, targetRefused, type TargetPosition } from './target';

/** What a log says of a position that is not one of its own. */
const ELSEWHERE = /^ERR_(TRUNCATED|FOREIGN_POSITION|INVALID_ARG_VALUE|OUT_OF_RANGE)$/;

/** Of what can be forwarded. */
export function lastLsnOf(source: Wal | WalReader): number {
  return 'durableLsn' in source ? source.durableLsn : source.lastLsn;
}

function checkOne(told: unknown): void {
  const { lsn, check } = (typeof told === 'object' && told !== null ? told : {}) as Partial<TargetPosition>;
  if (!Number.isSafeInteger(lsn) || lsn! < 0)
    throw targetRefused(
      `target.position() must tell the LSN of its last entry, or undefined; got ${describe(lsn ?? told)}`,
    );
  if (check !== undefined && typeof check !== 'string' && !ArrayBuffer.isView(check))
    throw targetRefused(`its check must be a position, or the bytes of the entry; got ${describe(check)}`);
}

/** What `target.position()` has told: it is code of the user's. */
export function checkHeld(told: unknown): TargetPosition | undefined {
  if (told === undefined) return undefined;
  checkOne(told);
  const { before } = told as TargetPosition;
  if (before !== undefined && !Array.isArray(before))
    throw targetRefused(`its before must be an array of such entries; got ${describe(before)}`);
  before?.forEach(checkOne);
  return told as TargetPosition;
}

/** Where the log goes on after the last entry of the target, if that is the log's. */
export function compare(source: Wal | WalReader, held: TargetPosition): number | WalPosition {
  for (const each of held.before ?? []) if (each.lsn >= source.firstLsn) compareOne(source, each);
  return compareOne(source, held);
}

function compareOne(source: Wal | WalReader, { lsn, check }: TargetPosition): number | WalPosition {
  const lastLsn = lastLsnOf(source);
  if (lsn > lastLsn) throw targetAhead(lsn, lastLsn);
  if (lsn < source.firstLsn - 1) throw targetBehind(lsn, source.firstLsn);
  if (typeof check === 'string') return comparePosition(source, lsn, check);
  // Only its position could tell.
  if (lsn < source.firstLsn) return lsn + 1;
  const entry = source.get(lsn);
  if (entry === undefined) throw targetAhead(lsn, lastLsn);
  if (check !== undefined && entry.data.compare(check) !== 0) throw targetDiffers(lsn, 'it has other bytes');
  return entry.position;
}

function comparePosition(source: Wal | WalReader, lsn: number, check: WalPosition): WalPosition {
  try {
    source.entries({ from: check });
  } catch (error) {
    if (!ELSEWHERE.test(String(codeOf(error)))) throw error;
    throw targetDiffers(lsn, `it says of itself ${JSON.stringify(check)}`, error);
  }
  if (pastOf(check).lsn !== lsn) throw targetDiffers(lsn, `it says of itself ${JSON.stringify(check)}`);
  return check;
}
