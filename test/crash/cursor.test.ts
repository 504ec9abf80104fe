// Owners of a cursor that are really killed: what was committed is there, and so is all after it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { parsePosition, Wal, WalCursor, WalReader, type WalPosition } from 'atomic-log';

import { packageRoot } from '../support/internals';
import { temporaryDirectory } from '../support/segments';
import { sized } from '../support/sizes';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const KILLS = sized('CURSOR_KILLS', { small: 10, long: 100 });
/** Only a hang takes so long, on a busy machine too. */
const TIMEOUT_MS = 30 * 60_000;

/** What an owner has told. */
class Owner {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #read: Promise<void>;
  readonly committing: WalPosition[] = [];
  committed: WalPosition | undefined;
  commits = 0;
  opened: number | undefined;
  first = 1;
  failure: string | undefined;
  #wake: () => void = () => undefined;
  #isOver = false;

  constructor(what: 'writer' | 'consumer' | 'trimmer' | 'idle', seed = 1) {
    const script = join(__dirname, 'cursor-owner.cjs');
    this.#child = spawn(process.execPath, [script, packageRoot, what, path(), String(seed)], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#ended = once(this.#child, 'close');
    this.#read = this.#listen();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Waits until it has told that. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.#isOver) throw new Error(`the owner has ended: ${this.failure}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    await this.#read;
    expect(this.failure).toBeUndefined();
  }

  async #listen(): Promise<void> {
    for await (const line of createInterface({ input: this.#child.stdio[3] as Readable })) {
      const [word, value] = line.split(' ');
      if (word === 'opened') this.opened = Number(value);
      if (word === 'first') this.first = Number(value);
      if (word === 'failed') this.failure = line;
      if (word === 'committing') this.committing.push(value as WalPosition);
      if (word === 'committed') {
        this.committed = value as WalPosition;
        ++this.commits;
      }
      this.#wake();
    }
    this.#isOver = true;
    this.#wake();
  }
}

const lsnOf = (position: WalPosition | undefined): number =>
  position === undefined ? 0 : parsePosition(position).lsn;

/** Expects what a dead owner, who began at `before`, must have left; where the cursor is. */
function expectLeft(owner: Owner, before: WalPosition | undefined): WalPosition | undefined {
  // At once, with no one who repairs the log first.
  using cursor = WalCursor.openSync(path(), 'billing');
  const { position } = cursor;
  expect([before, ...owner.committing]).toContain(position);
  expect(lsnOf(position)).toBeGreaterThanOrEqual(lsnOf(owner.committed ?? before));
  expect(cursor.nextLsn).toBe(lsnOf(position) + 1);
  return position;
}

/** Expects the entry that the cursor stands on, and all after it. */
function expectKept(log: Wal, position: WalPosition | undefined): void {
  // The log of a writer grows meanwhile.
  const { lastLsn } = log;
  const from = Math.max(lsnOf(position), 1);
  expect(log.firstLsn).toBeLessThanOrEqual(from);
  if (position !== undefined) expect(log.get(from)?.position).toBe(position);
  let lsn = from;
  for (const entry of log.entries({ from })) expect(entry.lsn).toBe(lsn++);
  expect(lsn).toBeGreaterThan(lastLsn);
}

test(
  `${KILLS} writers are killed while they commit and checkpoint`,
  async () => {
    let position: WalPosition | undefined;
    let first = 1;
    let commits = 0;
    for (let round = 0; round < KILLS; ++round) {
      const owner = new Owner('writer', 7919 * round + 1);
      await owner.until(() => owner.commits > (round * 7) % 30);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      await owner.kill();
      expect(owner.opened).toBe(lsnOf(position) + 1);
      position = expectLeft(owner, position);
      commits += owner.commits;
      // Every second one is opened first by the next owner.
      if (round % 2 === 0) continue;
      using wal = Wal.openSync(path(), { segmentBytes: 16384, verifyOnOpen: true });
      expectKept(wal, position);
      expect(wal.firstLsn).toBeGreaterThanOrEqual(first);
      first = wal.firstLsn;
      expect(wal.cursors()).toMatchObject([{ name: 'billing', position }]);
      expect(wal.cursors()[0]).not.toHaveProperty('holder');
    }
    expect(commits).toBeGreaterThanOrEqual(KILLS);
    // Checkpoints went on with the cursor.
    expect(first).toBeGreaterThan(1);
  },
  TIMEOUT_MS,
);

test(
  `${KILLS} consumers are killed while the writer of another process checkpoints`,
  async () => {
    await using wal = await Wal.open(path(), { segmentBytes: 16384 });
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        await wal.appendBatch(Array.from({ length: 8 }, (_, i) => Buffer.alloc(30 + i, i)));
        await wal.checkpoint(wal.lastLsn);
      }
    })();
    let position: WalPosition | undefined;
    for (let round = 0; round < KILLS; ++round) {
      // It begins before the first entry, which checkpoints keep once there is a cursor.
      if (round === 0) (await wal.cursor('billing')).closeSync();
      const owner = new Owner('consumer', 7919 * round + 1);
      await owner.until(() => owner.commits > (round * 7) % 30);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      await owner.kill();
      const before = round === 0 ? undefined : position;
      if (round > 0) expect(owner.opened).toBe(lsnOf(position) + 1);
      position = expectLeft(owner, before);
      expectKept(wal, position);
    }
    isWriting = false;
    await writing;
    expectKept(wal, position);
    await wal.checkpoint(wal.lastLsn);
    expect(wal.firstLsn).toBe(lsnOf(position));
  },
  TIMEOUT_MS,
);

/** Expects the entry that the cursor of a dead process stands on, and all after it, as the writer made them. */
function expectReadable(position: WalPosition | undefined): void {
  using reader = WalReader.open(path(), { tail: 'intact' });
  const from = Math.max(lsnOf(position), 1);
  expect(reader.firstLsn).toBeLessThanOrEqual(from);
  if (position !== undefined) expect(reader.get(from)?.position).toBe(position);
  let next = from;
  for (const { lsn, data } of reader.entries({ from })) {
    if (lsn !== next++ || !data.equals(Buffer.alloc(data.length, `${lsn}`)))
      throw new Error(`after entry ${next - 2} came entry ${lsn}, or it is another`);
  }
  expect(next).toBeGreaterThan(reader.lastLsn);
}

test(
  `${KILLS} kills of a consumer, of the writer of another process that checkpoints and retains little, or of both`,
  async () => {
    // It begins before the first entry, which checkpoints keep once there is a cursor.
    const wal = await Wal.open(path(), { segmentBytes: 16384 });
    (await wal.cursor('billing')).closeSync();
    await wal.close();
    let position: WalPosition | undefined;
    let seed = 0;
    const start = (what: 'consumer' | 'trimmer'): Owner => new Owner(what, 7919 * ++seed);
    let [consumer, trimmer] = [start('consumer'), start('trimmer')];
    for (let round = 0; round < KILLS; ++round) {
      // What is killed at once may not have come far.
      if (round % 4 > 0) await consumer.until(() => consumer.commits > (round * 7) % 20);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
      const who = Math.floor(Math.random() * 3);
      await Promise.all([...(who === 0 ? [] : [trimmer.kill()]), ...(who === 1 ? [] : [consumer.kill()])]);
      if (who !== 1) {
        if (consumer.opened !== undefined) expect(consumer.opened).toBe(lsnOf(position) + 1);
        position = expectLeft(consumer, position);
        expectReadable(position);
        consumer = start('consumer');
      }
      if (who !== 0) trimmer = start('trimmer');
    }
    // Checkpoints go on with the cursor.
    await trimmer.until(() => trimmer.first > 1);
    await Promise.all([consumer.kill(), trimmer.kill()]);
    position = expectLeft(consumer, position);
    expectReadable(position);
    await using again = await Wal.open(path(), { segmentBytes: 16384 });
    await again.checkpoint(again.lastLsn);
    expect(again.firstLsn).toBe(lsnOf(position));
  },
  TIMEOUT_MS,
);

test(
  'a cursor is free as soon as its owner is dead',
  async () => {
    using wal = Wal.openSync(path());
    wal.appendSync(Buffer.from('entry'));
    for (let round = 0; round < 3; ++round) {
      const owner = new Owner('idle');
      await owner.until(() => owner.opened !== undefined);
      const busy = { code: 'ERR_LOCKED', holder: owner.pid };
      await expect(WalCursor.open(path(), 'billing')).rejects.toMatchObject(busy);
      await expect(wal.cursor('billing')).rejects.toMatchObject(busy);
      await expect(wal.deleteCursor('billing')).rejects.toMatchObject(busy);
      expect(wal.cursors()).toMatchObject([{ name: 'billing', holder: owner.pid }]);
      const second = new Owner('idle');
      await expect(second.until(() => second.opened !== undefined)).rejects.toThrow(
        new RegExp(`ERR_LOCKED.*process ${owner.pid} has it open`),
      );
      await owner.kill();
      expect(wal.cursors()[0]).not.toHaveProperty('holder');
      using cursor = wal.cursorSync('billing');
      expect(cursor.nextLsn).toBe(1);
    }
    expect(await wal.deleteCursor('billing')).toBe(true);
  },
  TIMEOUT_MS,
);
