// What there is to be shown: the mutations of the durable logs and of the model check, as the lists have them now.
import { mutations as ofModel } from '../../test/native/model/mutations.mjs';
import { sharedMutations } from '../../test/native/model/shared_mutations.mjs';
import { mutations as ofSegments } from '../../test/native/durable/segment/segment_mutations.mjs';
import { mutations as ofWals } from '../../test/native/durable/wal/wal_mutations.mjs';

/** The protections that can be left out. */
export const mutants = [
  ...ofSegments.map(({ promise, name }) => ({ log: 'segment', promise, name })),
  ...ofWals.map(({ promise, name }) => ({ log: 'wal', promise, name })),
];

/** The memory orders and steps that can be weakened. */
export const weakenings = [...ofModel, ...sharedMutations].map(({ name, expected = 'caught', note }) => ({
  name,
  expected,
  note,
}));

/**
 * The lists, each entry with what was seen of it; what is not in the lists any more goes.
 *
 * @template {{ name: string }} Entry
 * @param {Entry[]} list
 * @param {(Entry & { seen?: string | null, run?: string })[]} before
 */
export function merged(list, before, keyOf = ({ name }) => name) {
  const known = new Map(before.map((entry) => [keyOf(entry), entry]));
  return list.map((entry) => {
    const { seen, run } = known.get(keyOf(entry)) ?? {};
    return run === undefined ? entry : { ...entry, seen, run };
  });
}

export const keyOfMutant = ({ log, name }) => `${log} ${name}`;
