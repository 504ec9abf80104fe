// What a log that processes share takes of this process, each allocation refused in turn: a typed error, nothing has
// changed, and the same call works afterwards.
import { describeWithFaults, refusing } from '../../support/faults';

import { AtomicLog } from 'atomic-log';

import { range, entriesOf } from '../../support/logs';
import { describeProcesses } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;

const open = (): AtomicLog<number> => AtomicLog.openSync(directory.path('log'), SMALL);

describeWithFaults('memory that is refused', () => {
  describeProcesses('to a log that processes share', () => {
    // What stands where in the ring, three lists of it; and the mapping of the head.
    test.each(range(0, 4))('claiming it, allocation %i', async (refused) => {
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

    test.each(range(0, 2))('pinning its window, allocation %i', async (refused) => {
      using log = open();
      using writer = log.tryClaimWriter()!;
      const end = log.endIndex;
      writer.appendBatch(range(end, end + 8));
      expect(await refusing(refused, () => log.snapshot())).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
      expect(log.stats()).toMatchObject({ pinnedHere: 0 });
      expect(entriesOf(log)).toEqual(range(log.firstIndex, end + 8));
    });
  });
});
