/** Positions: what a consumer of a log saves, to go on after that entry. */
import { describe, invalidType, typeError } from '../../base/errors';
import { checkLsn } from './options';

/**
 * Names an entry together with its past: a string to be saved and given back as
 * `from`, where reading goes on after that entry. Equal strings name the same
 * entry after the same entries, also in copies of the log; an LSN alone does
 * not, because `truncateAfter()`, a crash or a restored backup can give it to
 * another entry.
 */
export type WalPosition = string & Record<never, never>;

/** What a position says. */
export interface Past {
  /** Of the entry. */
  readonly lsn: number;
  /** Counts the lives of the log and its truncations: higher, where the past changes from one entry to the next. */
  readonly epoch: number;
  /** A random number of that epoch: copies of a log that went on apart have others. */
  readonly branch: number;
  /** 32 hex digits, those of {@link Wal.logId}. */
  readonly logId: string;
}

const form = /^(\d{1,16}):(\d{1,10}):([0-9a-f]{8}):([0-9a-f]{32})$/;
const U32_END = 2 ** 32;

export function positionOf({ lsn, epoch, branch, logId }: Past): WalPosition {
  return `${lsn}:${epoch}:${branch.toString(16).padStart(8, '0')}:${logId}`;
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parse(position: string): Past | undefined {
  const [, lsn, epoch, branch, logId] = form.exec(position) ?? [];
  if (lsn === undefined || Number(epoch) >= U32_END) return undefined;
  return { lsn: Number(lsn), epoch: Number(epoch), branch: parseInt(branch!, 16), logId: logId! };
}

/** Whether this is the form of a position. */
export function isPosition(text: string): text is WalPosition {
  return parse(text) !== undefined;
}

/**
 * What a position says, for those who carry entries to other systems: two
 * entries in a row whose `epoch` or `branch` differ have something between them,
 * such as `truncateAfter()` or a restart.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export function parsePosition(position: WalPosition): Past {
  return checkPosition('position', position);
}

/** A position, and no LSN. */
export function checkPosition(what: string, value: unknown): Past {
  if (typeof value === 'number') {
    throw invalidType(what, 'the position of an entry', value, 'give entry.position, not its LSN');
  }
  return checkFrom(what, value, 1, '') as Past;
}

/** Of a position that this package made. */
export function pastOf(position: WalPosition): Past {
  return parse(position)!;
}

/** An LSN, or what a position says. `names`: what else may be given. */
export function checkFrom(what: string, value: unknown, min: number, names: string): number | Past {
  if (typeof value === 'number') return checkLsn(what, value, min);
  const expected = `${names}an LSN or the position of an entry`;
  if (typeof value !== 'string') throw invalidType(what, expected, value);
  const past = parse(value);
  if (past === undefined) {
    throw typeError('ERR_INVALID_ARG_VALUE', `${what} must be ${expected}; got ${describe(value)}`);
  }
  checkLsn(what, past.lsn, 1);
  return past;
}
