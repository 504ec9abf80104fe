import { AtomicLog } from 'atomic-log';

/** Whether logs are made in shared memory: ATOMIC_LOG_MAPPING=shared, or a runtime without external memory. */
export const isShared = new AtomicLog({ retainedCapacity: 1, segmentCapacity: 1 }).mapping === 'shared';

/** For what shared memory cannot do: being detached. */
export const describeExternal = isShared ? describe.skip : describe;
export const testExternal = isShared ? test.skip : test;
