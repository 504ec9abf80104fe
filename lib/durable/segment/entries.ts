/** What users give to append(), taken apart and checked before any of it is appended. */
import { checkBytes, NO_BYTES, checkObject } from '../../base/checks';
import { invalidType, outOfRange } from '../../base/errors';
import { typedArrayTag } from '../../base/typed-array';
import { checkOffset } from '../options';
import { BODY_BYTES_MAX } from '../../base/codes';

/** A record to append: its data, or its data and header. */
export type SegmentEntry = Uint8Array | { readonly data: Uint8Array; readonly header?: Uint8Array };

/** The records of an iterable, each with its header. */
export interface Entries {
  readonly data: readonly Uint8Array[];
  readonly headers: readonly Uint8Array[];
}

/**
 * Iterators and getters run code of the user, which may append or close: they are
 * done with before anything is decided.
 */
export function takeEntries(entries: unknown): Entries {
  if (typedArrayTag(entries) !== undefined || !isIterable(entries)) {
    throw invalidType('entries', 'an iterable of entries (or give lengths too)', entries);
  }
  const taken = { data: [] as Uint8Array[], headers: [] as Uint8Array[] };
  for (const entry of entries) {
    if (typedArrayTag(entry) !== undefined) {
      taken.data.push(entry as Uint8Array);
      taken.headers.push(NO_BYTES);
    } else {
      const { data, header = NO_BYTES } = checkObject('an entry', entry ?? null) as {
        data: Uint8Array;
        header?: Uint8Array;
      };
      taken.data.push(data);
      taken.headers.push(header);
    }
  }
  return taken;
}

/** The lengths of records that lie in `bytes` one after the other, each at least `headerSize`. */
export function checkLengths(lengths: unknown, bytes: unknown, headerSize: number): Uint32Array {
  const count = checkBytes('bytes', bytes);
  const sizes =
    typedArrayTag(lengths) === 'Uint32Array'
      ? (lengths as Uint32Array)
      : Uint32Array.from(toIntegers(lengths));
  let sum = 0;
  for (let i = 0; i < sizes.length; ++i) {
    const size = sizes[i]!;
    if (size < headerSize || size > BODY_BYTES_MAX) {
      throw outOfRange(`lengths[${i}]`, `from headerSize (${headerSize}) to ${BODY_BYTES_MAX}`, size);
    }
    sum += size;
  }
  if (sum !== count) throw outOfRange('the sum of lengths', `bytes.length (${count})`, sum);
  return sizes;
}

function isIterable(value: unknown): value is Iterable<SegmentEntry> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
  );
}

function toIntegers(lengths: unknown): number[] {
  if (!Array.isArray(lengths)) throw invalidType('lengths', 'a Uint32Array or an array of integers', lengths);
  return lengths.map((length: unknown, i) => checkOffset(`lengths[${i}]`, length, 0, BODY_BYTES_MAX));
}
