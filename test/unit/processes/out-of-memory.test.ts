// What a log that processes share takes of this process, each allocation refused in turn: a typed error, nothing has
// changed, and the same call works afterwards.
import { describeWithFaults, refusing, refusingOne } from '../../support/faults';

import { AtomicLog } from 'atomic-log';

import { range, entriesOf } from '../../support/logs';
import { isShared } from '../../support/mapping';
import { collectGarbage } from '../../support/memory';
import { describeProcesses, mappingsOf } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;

const open = (): AtomicLog<number> => AtomicLog.openSync(directory.path('log'), SMALL);

describeWithFaults('memory that is refused', () => {
  describeProcesses('to a log that processes share', () => {
    // What stands where in the ring, three lists of it; and the mapping of the head, unless it is shared memory already.
    test.each(range(0, isShared ? 3 : 4))('claiming it, allocation %i', async (refused) => {
      using log = open();
      expect(await refusing(refused, () => log.tryClaimWriter())).toMatchObject({
        code: refused < 3 ? 'ERR_OUT_OF_MEMORY' : 'ERR_MAPPING_UNAVAILABLE',
      });
      expect(log.isWriterClaimed).toBe(false);
      using writer = log.tryClaimWriter()!;
      const end = log.endIndex;
      expect(writer.appendBatch(range(end, end + 8))).toBe(end);
      expect(log.endIndex).toBe(end + 8);
    });

    // Two lists of its segments, and what is known of each here.
    test.each(range(0, 3))('pinning its window, allocation %i', async (refused) => {
      using log = open();
      using writer = log.tryClaimWriter()!;
      const end = log.endIndex;
      writer.appendBatch(range(end, end + 8));
      expect(await refusing(refused, () => log.snapshot())).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
      expect(log.stats()).toMatchObject({ pinnedHere: 0 });
      expect(entriesOf(log)).toEqual(range(log.firstIndex, end + 8));
    });

    // Besides, three lists of the copies, and a block for each.
    test.each(range(0, 8))('pinning copies of its window, allocation %i', async (refused) => {
      using log = open();
      using writer = log.tryClaimWriter()!;
      writer.appendBatch(range(log.endIndex, log.endIndex + 25));
      using reader = AtomicLog.openSync<number>(directory.path('log'), { readOnly: true });
      expect(await refusing(refused, () => reader.snapshot())).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
      expect(reader.stats()).toMatchObject({ pinnedHere: 0 });
      expect(entriesOf(reader)).toEqual(range(log.firstIndex, log.endIndex));
    });

    // What the file says of the log: the part that all files have, and all of it, each read twice.
    test.each(range(0, 4))('joining it, allocation %i', async (refused) => {
      using log = open();
      const join = (): AtomicLog<number> =>
        AtomicLog.openSync<number>(directory.path('log'), { create: false });
      expect(await refusing(refused, join)).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
      using again = join();
      expect(again.endIndex).toBe(log.endIndex);
    });

    // What the file says of it, as above; the memory that it is laid over.
    test.each(range(0, 5))('opening it over shared memory, allocation %i', async (refused) => {
      open().close();
      const openShared = (): AtomicLog<number> =>
        AtomicLog.openSync(directory.path('log'), { ...SMALL, mapping: 'shared' });
      expect(await refusing(refused, openShared)).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
      using again = openShared();
      using writer = again.tryClaimWriter()!;
      writer.append(again.endIndex);
      expect(again.latest()).toBe(again.endIndex - 1);
    });

    // An engine that uses the addresses again would show the file to whoever gets them.
    test('closing it over shared memory, allocation 0: the memory stays, and with it the file', async () => {
      let log: AtomicLog<number> | undefined = AtomicLog.openSync(directory.path('log'), {
        ...SMALL,
        mapping: 'shared',
      });
      const close = (): void => log!.close();
      expect(await refusingOne(0, close)).toEqual({ error: undefined, wasMet: true });
      log = undefined;
      expect(mappingsOf(directory.path('log'))).toBe(1);
      await collectGarbage(10);
      expect(mappingsOf(directory.path('log'))).toBe(1);
      using again = open();
      using writer = again.tryClaimWriter()!;
      writer.append(again.endIndex);
      expect(again.latest()).toBe(again.endIndex - 1);
    });
  });
});
