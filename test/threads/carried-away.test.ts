// Views of a log whose memory is carried away: posted, cloned, transferred, given
// to byte streams, and kept by a worker that goes on reading it and is terminated.
// Nothing may crash, in whatever order all of it ends, and readers and writer go
// on with the right values.
import { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import { AtomicLog, type Chunk, type CodecLogOptions, type Snapshot, type Span } from 'atomic-log';

import { addon } from '../support/internals';
import type { Claimed } from '../support/logs';
import { nextTurn } from '../support/memory';
import { firstMessage, startWorker } from './helpers';
import { sorts } from './sorts.cjs';

type Bytes = Uint8Array<ArrayBuffer>;

/** Takes bytes of a log and returns what became of them, to be posted to a worker and how. */
type Way = (bytes: Bytes) => [Bytes, transfer?: ArrayBuffer[]] | Promise<[Bytes, ArrayBuffer[]]>;

const ways: Record<string, Way> = {
  posted: (bytes) => [bytes],
  'posted to be transferred': (bytes) => [bytes, [bytes.buffer]],
  'cloned to be transferred': (bytes) => {
    const clone = structuredClone(bytes, { transfer: [bytes.buffer] });
    return [clone, [clone.buffer]];
  },
  'given to a byte stream': async (bytes) => {
    const stream = new ReadableStream({
      type: 'bytes',
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    const { value } = await stream.getReader().read();
    const read = value as Bytes;
    return [read, [read.buffer]];
  },
  'given to a byte stream to be filled': async (bytes) => {
    const stream = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        controller.close();
        (controller.byobRequest as { respond(count: number): void }).respond(0);
      },
    });
    const { value } = await stream.getReader({ mode: 'byob' }).read(bytes);
    const whole = new Uint8Array(value!.buffer);
    return [whole, [whole.buffer]];
  },
};

/** Node 22 and later have this; it also takes away the mark that an ArrayBuffer must not be transferred. */
type Transferable = ArrayBuffer & { transfer?(length?: number): ArrayBuffer };
if ('transfer' in ArrayBuffer.prototype) {
  for (const length of [undefined, 8, 2 ** 16]) {
    ways[`transferred by transfer(${length ?? ''})`] = (bytes) => {
      const moved = (bytes.buffer as Transferable).transfer!(length);
      return [new Uint8Array(moved), [moved]];
    };
  }
}

/** Ways that leave an external ArrayBuffer without memory, on every runtime. */
const takes = (way: string): boolean => /byte stream|transfer\(/.test(way);

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Bytes =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** All views that a chunk shows. */
function viewsOf(sort: string, chunk: Chunk<unknown>): Bytes[] {
  if (sort === 'numbers') return [bytesOf(chunk.values as unknown as ArrayBufferView)];
  const lines = chunk as Chunk<{ n: number; text: string; raw: Uint8Array }>;
  const { offsets, data } = lines.column('text');
  return [lines.column('n'), offsets, data, lines.column('raw').data].map(bytesOf);
}

function expectEntries(snapshot: Snapshot<unknown>, sort: string): void {
  let index = snapshot.firstIndex;
  for (const value of snapshot) {
    if (!sorts[sort]!.isEntry(value, index++)) throw new Error(`entry ${index - 1}`);
  }
  expect(index).toBe(snapshot.endIndex);
}

/** Every reader and the writer, through more than a window of entries. */
function expectToGoOn({ writer, log }: Claimed<unknown>, held: Snapshot<unknown>, sort: string): void {
  expectEntries(held, sort);
  for (let i = 0; i < 200; ++i) {
    const entry = sorts[sort]!.entryOf(writer.nextIndex);
    if (i % 3 === 0) writer.appendBatch([entry]);
    else expect(writer.append(entry)).toBe(writer.nextIndex - 1);
    if (i % 20 > 0) continue;
    const fresh = log.snapshot();
    expectEntries(fresh, sort);
    fresh.close();
    held.refresh();
    expectEntries(held, sort);
  }
  expect(held.length).toBeGreaterThanOrEqual(32);
}

function claimed(sort: string, mapping: string): Claimed<unknown> {
  const capacities = { retainedCapacity: 32, segmentCapacity: 8, mapping };
  return AtomicLog.claimed<unknown>({ ...capacities, ...sorts[sort]!.options } as CodecLogOptions<unknown>);
}

/** Carries `bytes` away to the worker. What a runtime refuses must leave them as they are. */
async function carry(bytes: Bytes, way: string, worker: ReturnType<typeof startWorker>): Promise<void> {
  const isShared = types.isSharedArrayBuffer(bytes.buffer);
  const { length } = bytes;
  const buffer = bytes.buffer as ArrayBufferLike;
  try {
    const [moved, transfer] = await ways[way]!(bytes);
    worker.postMessage(moved, transfer ?? []);
  } catch (error) {
    // Streams refuse shared memory, and what must not be transferred is refused by a DataCloneError.
    expect(['TypeError', 'DataCloneError']).toContain((error as Error).name);
    expect({ way, isShared, isRefused: true }).toEqual({ way, isShared, isRefused: isShared || !takes(way) });
    expect(way).not.toBe('posted');
    expect(bytes).toHaveLength(length);
    return;
  }
  expect(await firstMessage(worker)).toBeGreaterThan(0);
  if (!isShared && takes(way)) expect(buffer.byteLength).toBe(0);
}

const mappings = addon.canMapExternal() ? ['external', 'shared'] : ['shared'];
const cases = mappings.flatMap((mapping) => Object.keys(ways).map((way) => [mapping, way] as const));

describe.each(cases)('memory of a log (%s) that was %s', (mapping, way) => {
  test.each(['numbers', 'lines'])('by a reader: a log of %s goes on', async (sort) => {
    const { writer, log } = claimed(sort, mapping);
    for (let i = 0; i < 50; ++i) writer.append(sorts[sort]!.entryOf(i));
    const worker = startWorker('keep', {});
    const held = log.snapshot();
    const { length } = held.chunks();
    expect(length).toBeGreaterThan(4);
    for (let i = 0; i < length; ++i) {
      const { length: columns } = viewsOf(sort, held.chunks()[i]!);
      for (let column = 0; column < columns; ++column) {
        // Asked for anew each time, because all columns are of one ArrayBuffer.
        const bytes = viewsOf(sort, held.chunks()[i]!)[column]!;
        if (bytes.length > 0) await carry(bytes, way, worker);
        expectEntries(held, sort);
      }
    }
    expectToGoOn({ writer, log }, held, sort);
    await worker.terminate();
    expectToGoOn({ writer, log }, held, sort);
    held.close();
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedHere: 0, pinnedSegments: 0 });
  });

  test.each(['before', 'after'])('by a writer, %s it committed its span: the log goes on', async (when) => {
    const { entryOf } = sorts['numbers']!;
    const { writer, log } = claimed('numbers', mapping);
    const worker = startWorker('keep', {});
    const fill = (span: Span<unknown>): Float64Array => {
      const values = span.values as unknown as Float64Array;
      for (let i = 0; i < span.length; ++i) values[i] = entryOf(span.firstIndex + i) as number;
      return values;
    };
    for (let i = 0; i < 12; ++i) {
      const span = writer.reserve(6);
      const values = fill(span);
      if (when === 'after') writer.commit(span.length);
      if (values.length > 0) await carry(bytesOf(values), way, worker);
      if (when === 'before') writer.commit(span.length);
      const snapshot = log.snapshot();
      expect(snapshot.endIndex).toBe(span.firstIndex + span.length);
      expectEntries(snapshot, 'numbers');
      snapshot.close();
    }
    const held = log.snapshot();
    expectToGoOn({ writer, log }, held, 'numbers');
    await worker.terminate();
    expectToGoOn({ writer, log }, held, 'numbers');
  });

  test('and is read on after the log has ended, by a worker that ends later', async () => {
    const { entryOf } = sorts['numbers']!;
    const first = claimed('numbers', mapping);
    for (let i = 0; i < 50; ++i) first.writer.append(entryOf(i));
    const worker = startWorker('keep', {});
    const snapshot = first.log.snapshot();
    for (const chunk of snapshot.chunks()) await carry(viewsOf('numbers', chunk)[0]!, way, worker);
    snapshot.close();
    first.writer.close();
    first.log.close();
    await nextTurn();
    // These blocks serve the next log while the worker reads them.
    const next = claimed('numbers', mapping);
    const held = next.log.snapshot();
    expectToGoOn(next, held, 'numbers');
    await worker.terminate();
    expectToGoOn(next, held, 'numbers');
  });
});
