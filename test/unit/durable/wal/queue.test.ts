/** What is written ahead, with a double of the addon that secures as much room as a test says. */
import { SecuredField } from '../../../../lib/base/codes';
import type { WalQueue } from '../../../../lib/durable/wal/queue';
import type { NativeWal } from '../../../../types/native';
import { requireInternal } from '../../../support/internals';
import { range } from '../../../support/wals';

const internal = requireInternal<{ WalQueue: typeof WalQueue }>('durable/wal/queue.js');
/** A record is its head and its data, up to the next multiple of eight: docs/format.md. */
const recordBytes = (length: number): number => Math.ceil((40 + length) / 8) * 8;

/** As much of the addon as what is written needs. */
class SecuredRoom {
  bytes = 0;
  nextLsn = 1;
  /** Of what was handed over: the lengths of each call. */
  readonly handed: number[][] = [];
  readonly queue = new internal.WalQueue(this as unknown as NativeWal, 1 << 20);

  secure(into: Float64Array): void {
    into[SecuredField.bytes] = this.bytes;
    into[SecuredField.nextLsn] = this.nextLsn;
  }

  writeStaged(_bytes: Uint8Array, byteCount: number, lengths: Uint32Array, count: number): number {
    const taken = [...lengths.subarray(0, count)];
    expect(taken.reduce((sum, length) => sum + length, 0)).toBe(byteCount);
    this.handed.push(taken);
    this.nextLsn += count;
    return 0;
  }

  secureRoom(bytes: number): void {
    this.bytes = bytes;
    this.queue.secureRoom();
  }

  /** Writes until there is no room; the LSNs. Fails when it goes on for longer than any room. */
  writeAll(length: number): number[] {
    const data = new Uint8Array(length);
    const lsns: number[] = [];
    for (let lsn = this.queue.write(data, length); lsn > 0; lsn = this.queue.write(data, length)) {
      lsns.push(lsn);
      if (lsns.length * recordBytes(length) > this.bytes) throw new Error('written beyond what is secured');
    }
    return lsns;
  }
}

describe('write()', () => {
  test('takes what fits into the room that is secured, to the byte, and nothing more', () => {
    for (const length of [0, 1, 7, 8, 9, 100, 16_384]) {
      const room = new SecuredRoom();
      room.secureRoom(3 * recordBytes(length));
      expect(room.writeAll(length)).toEqual([1, 2, 3]);
      room.queue.handWritten();
      expect(room.handed).toEqual([[length, length, length]]);
      room.secureRoom(3 * recordBytes(length) - 1);
      expect(room.writeAll(length)).toEqual([4, 5]);
    }
  });

  test('a smaller one may still fit where a larger one does not', () => {
    const room = new SecuredRoom();
    room.secureRoom(recordBytes(100) + recordBytes(8));
    expect(room.writeAll(100)).toEqual([1]);
    expect(room.writeAll(9)).toEqual([]);
    expect(room.writeAll(8)).toEqual([2]);
    expect(room.writeAll(0)).toEqual([]);
  });

  test('takes no entry that is larger than what is staged, whatever the room', () => {
    const room = new SecuredRoom();
    room.secureRoom(1 << 20);
    expect(room.queue.write(new Uint8Array(16_385), 16_385)).toBe(0);
    expect(room.queue.write(new Uint8Array(16_384), 16_384)).toBe(1);
  });

  test('all that is handed over in parts is no more than was secured', () => {
    const room = new SecuredRoom();
    const count = 10_000;
    room.secureRoom(count * recordBytes(200));
    expect(room.writeAll(200)).toEqual(range(1, count));
    room.queue.handWritten();
    expect(room.handed.length).toBeGreaterThan(2);
    expect(room.handed.flat()).toHaveLength(count);
  });

  test('without secured room, or after it was given up, the addon has to take it', () => {
    const room = new SecuredRoom();
    expect(room.writeAll(0)).toEqual([]);
    room.secureRoom(0);
    expect(room.writeAll(0)).toEqual([]);
    room.secureRoom(1000);
    expect(room.queue.write(new Uint8Array(1), 1)).toBe(1);
    room.queue.submit();
    expect(room.handed).toEqual([[1]]);
    expect(room.writeAll(1)).toEqual([]);
  });
});
