/** Logs with codecs, and every way into them. */
import { AtomicLog, type Codec, type Writer } from 'atomic-log';

import { SMALL, type Claimed } from './logs';

export function claimedWith<T>(codec: Codec<T>, dataBytes = 256): Claimed<T> {
  return AtomicLog.claimed({ ...SMALL, codec, dataBytes });
}

/** Every way by which a value reaches the log. Each stores one entry. */
export const ways: [string, (writer: Writer<unknown>, value: unknown) => number][] = [
  ['append()', (writer, value) => writer.append(value)],
  ['write()', (writer, value) => writer.write(value)],
  ['appendBatch()', (writer, value) => writer.appendBatch([value])],
];
