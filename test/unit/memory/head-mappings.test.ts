import type { HeadMappings } from '../../../lib/memory/head-mappings';
import { requireInternal } from '../../support/internals';

const internal = requireInternal<{ HeadMappings: typeof HeadMappings }>('memory/head-mappings.js');

/** Mappings of a log with three segments, and how often one was made. */
function counted(): { mappings: HeadMappings; made: () => number } {
  let made = 0;
  const storage = { mapOwnHead: (id: number) => ({ id, order: ++made }) };
  const mappings = new internal.HeadMappings({} as never, storage as never, 3);
  return { mappings, made: () => made };
}

test('segments that come again are not mapped again', () => {
  const { mappings, made } = counted();
  for (let i = 0; i < 1000; ++i) expect(mappings.own(i % 9)).toMatchObject({ id: i % 9 });
  expect(made()).toBe(9);
});

test('after a peak of pins only a few mappings are kept', () => {
  const { mappings, made } = counted();
  for (let id = 0; id < 1000; ++id) mappings.own(id);
  expect(made()).toBe(1000);
  // Whatever has to be made now was not kept.
  for (let id = 999; id >= 0; --id) mappings.own(id);
  expect(made()).toBeGreaterThan(1900);
});
