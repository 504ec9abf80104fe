// What other processes store in the file of a log that processes share: typed errors or wrong entries, never a
// crash, a hang, or an index that leads out of a segment.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, readFileSync, statSync, symlinkSync, writeSync } from 'node:fs';

import { AtomicLog, json } from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { describeProcesses } from '../../support/processes';
import { crc, temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;

/** Where things stand: src-native/core/shared_memory/shared_format.h. */
function placesOf(file: Buffer): { control: number; ring: number; table: number } {
  const line = (bytes: number): number => Math.ceil(bytes / 64) * 64;
  const control = line(file.readUInt32LE(16));
  const ring = control + 128;
  return { control, ring, table: line(ring + file.readUInt32LE(28) * 4) };
}

function store(at: number, value: bigint): void {
  const file = openSync(path(), 'r+');
  writeSync(file, new BigUint64Array([value]), 0, 8, at);
  closeSync(file);
}

describeProcesses('memory that others store to', () => {
  test('a follower of a damaged log is told so, and the event loop turns', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    using writer = log.tryClaimWriter()!;
    writer.append(1);
    const follower = log.follow();
    expect((await follower.next()).done).toBe(false);
    const waiting = rejection(follower.next());
    await new Promise((resolve) => setTimeout(resolve, 30));
    // The head's block says that it is another segment.
    store(placesOf(readFileSync(path())).table, 77n);
    expect(await waiting).toMatchObject({ code: 'ERR_LOG_DAMAGED' });
    expectError(() => log.endIndex, 'ERR_LOG_DAMAGED', /unlink/);
    expectError(() => log.follow(), 'ERR_LOG_DAMAGED', /unlink/);
    log.close();
  });

  test.each([2n ** 52n, 0n, 3n])(
    'a segment whose first index is %s, which cannot be, makes no snapshot longer than its memory',
    (first) => {
      const log = AtomicLog.openSync(path(), { ...SMALL, firstIndex: 1000 });
      using writer = log.tryClaimWriter()!;
      for (let i = 0; i < 5; ++i) writer.append(i);
      using refreshed = log.snapshot();
      using extended = log.snapshot();
      writer.append(5);
      // The second segment is in the second block.
      store(placesOf(readFileSync(path())).table + 16 + 8, first);
      refreshed.refresh();
      extended.extend();
      for (const snapshot of [refreshed, extended]) {
        expect(snapshot.length).toBeGreaterThanOrEqual(0);
        expect(snapshot.length).toBeLessThanOrEqual(10);
        for (const chunk of snapshot.chunks()) expect(chunk.values).toHaveLength(chunk.length);
      }
      log.close();
    },
  );

  test('whatever stands in the file, a process that only reads it gets entries or a typed error', async () => {
    const options = { ...SMALL, schema: { n: 'f64', text: 'utf8', data: 'bytes' }, dataBytes: 200 } as const;
    const log = AtomicLog.openSync(path(), options);
    using writer = log.tryClaimWriter()!;
    for (let i = 0; i < 43; ++i) writer.append({ n: i, text: 'é'.repeat(i % 9), data: Buffer.alloc(i % 7) });
    interface Entry {
      n: number;
      text: string;
      data: Uint8Array;
    }
    const reader = AtomicLog.openSync<Entry>(path(), { readOnly: true });
    const good = readFileSync(path());
    const { control } = placesOf(good);
    const file = openSync(path(), 'r+');
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const values = [0n, 1n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 48n - 2n];
    const read = async (held: ReturnType<typeof reader.snapshot> | undefined): Promise<void> => {
      using snapshot = reader.snapshot();
      for (const one of [snapshot, held]) {
        if (one === undefined) continue;
        one[random(2) === 0 ? 'refresh' : 'extend']();
        for (const { text, data } of one) expect(text.length + data.length).toBeLessThanOrEqual(400);
        for (const chunk of one.chunks()) expect(chunk.column('n')).toHaveLength(chunk.length);
      }
      reader.latest();
      reader.stats();
      expect(reader.waitSync(random(60), 0, { allowMainThread: true })).toMatch(/^(ready|timeout|ended)$/);
      const follower = reader.follow({ from: random(60), whenWriterLost: 'throw' });
      await Promise.race([follower.next(), new Promise((resolve) => setImmediate(resolve))]);
      await follower.return!();
    };
    let held: ReturnType<typeof reader.snapshot> | undefined;
    for (let round = 0; round < 150; ++round) {
      for (let i = 0; i < 3; ++i) {
        const place = random(3) === 0 ? random(good.length - 8 - control) : random(1500);
        const value = random(2) === 0 ? values[random(values.length)]! : BigInt(random(64));
        writeSync(file, new BigUint64Array([value]), 0, 8, control + (place & ~7));
      }
      try {
        if (round % 7 === 0) {
          held?.close();
          held = reader.snapshot();
        }
        await read(held);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_/) as string });
      }
      if (round % 10 === 9) writeSync(file, good, 0, good.length, 0);
    }
    writeSync(file, good, 0, good.length, 0);
    held?.close();
    closeSync(file);
    expect(reader.latest()!.n).toBe(42);
    reader.close();
    log.close();
  });

  test('columns that the memory has no room for, and names that cannot be, are refused', () => {
    const open = (change: (layout: Record<string, unknown>) => void, options: object = {}) => {
      const made: object = { ...SMALL, segmentCapacity: 20, dataBytes: 300, ...options };
      AtomicLog.openSync(path(), made as typeof SMALL).close();
      const file = readFileSync(path());
      const bytes = file.readUInt32LE(16);
      const begin = bytes - file.readUInt32LE(48);
      const layout = JSON.parse(file.toString('utf8', begin, bytes)) as Record<string, unknown>;
      change(layout);
      const text = JSON.stringify(layout);
      // JSON takes blanks at its end.
      expect(text.length).toBeLessThanOrEqual(bytes - begin);
      file.write(text.padEnd(bytes - begin), begin);
      file.writeUInt32LE(0, 20);
      file.writeUInt32LE(crc('crc32c', file.subarray(0, bytes)), 20);
      const descriptor = openSync(path(), 'r+');
      writeSync(descriptor, file);
      closeSync(descriptor);
      expectError(() => AtomicLog.openSync(path(), { create: false }), 'ERR_FORMAT', /not known here/);
      AtomicLog.unlinkSync(path());
    };
    const schema = { small: 'u8', text: 'utf8' };
    open((layout) => (layout.dataBytes = 999), { schema });
    open((layout) => (layout.kinds = [0, 10]), { schema });
    open((layout) => (layout.fields = ['small', '7']), { schema });
    open((layout) => (layout.kinds = [11]), { codec: json() });
  });

  test('links that lead nowhere are refused', async () => {
    // Windows lets few users make links, and Wine makes none.
    if (process.platform === 'win32') return;
    symlinkSync(directory.path('nowhere'), path());
    symlinkSync(directory.path('loop'), directory.path('loop'));
    for (const link of [path(), directory.path('loop')]) {
      expectError(() => AtomicLog.openSync(link, SMALL), 'ERR_FILE_ACCESS', /not a regular file/);
      expect(await rejection(AtomicLog.unlink(link))).toMatchObject({ code: 'ERR_FILE_ACCESS' });
    }
  });

  test('a copy with holes gets its memory before it is used', () => {
    const original = directory.path('original');
    AtomicLog.openSync(original, { retainedCapacity: 100_000, segmentCapacity: 10_000 }).close();
    const bytes = readFileSync(original);
    const copy = openSync(path(), 'w');
    ftruncateSync(copy, bytes.length);
    writeSync(copy, bytes, 0, 4096);
    closeSync(copy);
    expect(statSync(path()).blocks * 512).toBeLessThan(bytes.length);
    AtomicLog.openSync(path(), { create: false }).close();
    // Wine makes holes, and fills none; macOS cannot without writing.
    if (process.platform !== 'linux' || process.env['ATOMIC_LOG_PORTABLE'] !== undefined) return;
    expect(statSync(path()).blocks * 512).toBeGreaterThanOrEqual(bytes.length);
  });

  test('a text that changes while it is decoded is no longer than what is stored', async () => {
    const LENGTH = 4000;
    const log = AtomicLog.openSync(path(), { ...SMALL, schema: { text: 'utf8' }, dataBytes: 4 * LENGTH });
    using writer = log.tryClaimWriter()!;
    writer.append({ text: 'Z'.repeat(LENGTH) });
    const at = readFileSync(path()).indexOf('Z'.repeat(100));
    const source = `
      const fs = require('node:fs');
      const file = fs.openSync(${JSON.stringify(path())}, 'r+');
      const texts = ['a', 'é', '😀'].map((text) => Buffer.alloc(${LENGTH}, text));
      for (const end = Date.now() + 600; Date.now() < end; )
        for (const text of texts) fs.writeSync(file, text, 0, ${LENGTH}, ${at});`;
    const other = spawn(process.execPath, ['--eval', source], { stdio: 'inherit' });
    const over = once(other, 'exit');
    using snapshot = log.snapshot();
    let isOver = false;
    void over.then(() => (isOver = true));
    while (!isOver) {
      for (let i = 0; i < 300; ++i) expect(snapshot.at(0)!.text.length).toBeLessThanOrEqual(LENGTH);
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.close();
  });
});
