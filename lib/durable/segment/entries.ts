/** What users give to append(), taken apart and checked before any of it is appended. */
import { checkObject, NO_BYTES } from '../../base/checks';
import { invalidType } from '../../base/errors';
import { typedArrayTag } from '../../base/typed-array';

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

function isIterable(value: unknown): value is Iterable<SegmentEntry> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
  );
}
