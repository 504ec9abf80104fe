/** Against a real redis-server. */
/* eslint-disable @typescript-eslint/no-require-imports -- without the client the tests are skipped */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { forward, Wal, type ForwardOptions, type ForwardProgress, type WalEntry } from 'atomic-log';
import {
  clientOptions,
  redisTarget,
  subscribe,
  type RedisSubscribeOptions,
  type RedisTargetOptions,
} from 'atomic-log/redis';

import { describeWith, Server, until } from '../../support/servers';
import { MemoryCursor } from '../../support/targets';
import { entry, range, SMALL_FILES } from '../../support/wals';

const KEY = 'orders';

describeWith('redis-server', ['redis'])('Redis Streams', () => {
  const { createClient } = require('redis');
  let directory: string;
  let server: Server;
  let client: any;
  let wal: Wal;

  async function connected(options: object = clientOptions): Promise<any> {
    const made = createClient({
      ...options,
      socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: 20 },
    });
    made.on('error', () => undefined);
    await made.connect();
    return made;
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'redis-'));
    server = await Server.redis(join(directory, 'server'));
  });

  afterAll(async () => {
    await server?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    client = await connected();
    await client.flushAll();
    rmSync(join(directory, 'log'), { recursive: true, force: true });
    wal = Wal.openSync(join(directory, 'log'), SMALL_FILES);
  });

  afterEach(() => {
    wal.closeSync();
    client.destroy();
  });

  const target = (options: Partial<RedisTargetOptions> = {}) => redisTarget(client, { key: KEY, ...options });

  /** Appends up to there, each third one as a batch with the two after it. */
  async function append(last: number): Promise<void> {
    while (wal.lastLsn < last) {
      const lsn = wal.lastLsn + 1;
      if (lsn % 3 === 0 && lsn + 2 <= last)
        await wal.appendBatch([entry(lsn), entry(lsn + 1), entry(lsn + 2)]);
      else await wal.append(entry(lsn));
    }
  }

  /** Runs until all that is there is acknowledged. */
  async function forwardAll(options: Partial<ForwardOptions> = {}): Promise<void> {
    const last = wal.durableLsn;
    const controller = new AbortController();
    let isReached = false;
    const onProgress = ({ acknowledged }: ForwardProgress): void => {
      isReached = acknowledged >= last;
      if (isReached) controller.abort();
    };
    const given = {
      target: target(),
      batchEntries: 8,
      retryMs: 1,
      retryMsMax: 50,
      onProgress,
      signal: controller.signal,
    };
    await forward(wal, { ...given, ...options }).catch((error: unknown) => {
      if (!isReached) throw error;
    });
  }

  async function read(last: number, options: Partial<RedisSubscribeOptions> = {}): Promise<WalEntry[][]> {
    const batches: WalEntry[][] = [];
    for await (const batch of subscribe(client, { key: KEY, pollMs: 1, ...options })) {
      batches.push(batch);
      if (batch.at(-1)!.lsn >= last) break;
    }
    return batches;
  }

  function expectEntries(entries: readonly WalEntry[], first: number, last: number): void {
    expect(entries.map(({ lsn }) => lsn)).toEqual(range(first, last));
    for (const { lsn, data } of entries) expect(entry(lsn).equals(data)).toBe(true);
  }

  const lastId = async (): Promise<string> => (await client.xInfoStream(KEY))['last-generated-id'];

  test('the id is the LSN; a reader gets the same entries, positions and batches', async () => {
    await append(30);
    // Another life of the log: its epoch is in the middle of what is sent at once.
    await wal.close();
    wal = Wal.openSync(join(directory, 'log'));
    await append(50);
    await forwardAll({ batchEntries: 64 });
    expect(await client.xLen(KEY)).toBe(50);
    expect(await lastId()).toBe('50-0');
    const entries = (await read(50)).flat();
    expectEntries(entries, 1, 50);
    const given = [...wal.entries()];
    expect(entries.map(({ position }) => position)).toEqual(given.map(({ position }) => position));
    expect(entries.map(({ batch }) => batch)).toEqual(given.map(({ batch }) => batch));
  });

  test('a reader gets whole batches, and goes on after a position, an LSN, or the end', async () => {
    await append(60);
    await forwardAll();
    for (const batch of await read(60, { batchEntries: 1 })) {
      const { lsn, batch: last } = batch.at(-1)!;
      if (last !== undefined) expect(lsn).toBe(last.first + last.count - 1);
    }
    expectEntries((await read(60, { from: wal.get(20)!.position })).flat(), 21, 60);
    expectEntries((await read(60, { from: 30 })).flat(), 30, 60);
    const coming = read(62, { from: 'latest' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await append(62);
    await forwardAll();
    expectEntries((await coming).flat(), 61, 62);
  });

  test('two of the same log do each other no harm, and it goes on where the stream is', async () => {
    await append(200);
    await Promise.all([forwardAll(), forwardAll(), forwardAll()]);
    await append(230);
    await forwardAll();
    expectEntries((await read(230)).flat(), 1, 230);
  });

  test('another log is noticed, and named', async () => {
    await append(5);
    await forwardAll();
    const other = Wal.openSync(join(directory, 'other'));
    for (let lsn = 1; lsn <= 9; ++lsn) other.appendSync(entry(lsn));
    const failure = forward(other, { target: target() });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 5 });
    await expect(failure).rejects.toThrow(wal.get(5)!.position);
    other.closeSync();
  });

  test.each(['6-0', '6-1', '*'])('another writer is noticed while it runs: %s', async (id) => {
    await append(5);
    const done = forward(wal, { target: target(), retryMs: 1, batchEntries: 1 });
    const noticed = expect(done).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_TARGET_(DIFFERS|AHEAD)$/),
    });
    await until('all is there', async () => (await client.exists(KEY)) === 1 && (await lastId()) === '5-0');
    await client.xAdd(KEY, id, { d: 'not of the log' });
    for (let lsn = 6; lsn <= 12; ++lsn) wal.write(entry(lsn));
    wal.syncSync();
    await noticed;
    expect(await client.xLen(KEY)).toBe(6);
    await expect(read(6)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(CORRUPT|ENTRIES_LOST)$/),
    });
  });

  test('truncateAfter() in between is an error', async () => {
    await append(6);
    await forwardAll();
    await wal.truncateAfter(3);
    for (let lsn = 4; lsn <= 8; ++lsn) await wal.append(Buffer.from(`another ${lsn}`));
    await expect(forwardAll()).rejects.toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 6 });
  });

  test('a reader whose entry was replaced is told', async () => {
    await append(6);
    await forwardAll();
    const { position } = wal.get(6)!;
    await expect(read(9, { from: position.replace(/^6:\d+/, '6:77') })).rejects.toMatchObject({
      code: 'ERR_TRUNCATED',
    });
    await expect(read(9, { from: position.replace(/^6/, '9') })).rejects.toMatchObject({
      code: 'ERR_TRUNCATED',
    });
    const foreign = position.replace(/[0-9a-f]{32}$/, '0'.repeat(32));
    await expect(read(9, { from: foreign })).rejects.toMatchObject({ code: 'ERR_FOREIGN_POSITION' });
  });

  test('what is safe is trimmed, as far as it was asked for; readers are told what they miss', async () => {
    await append(400);
    const cursor = new MemoryCursor();
    const trimming = target({ retainEntries: 100, safeAfterMs: 0 });
    const done = forward(wal, { target: trimming, cursor });
    await until(
      'it is trimmed',
      async () => (await client.exists(KEY)) === 1 && (await client.xLen(KEY)) < 400,
    );
    await wal.close();
    await done;
    expect(await client.xLen(KEY)).toBeGreaterThanOrEqual(100);
    expect(await lastId()).toBe('400-0');
    await expect(read(400, { from: 2 })).rejects.toMatchObject({ code: 'ERR_ENTRIES_LOST', lsn: 2 });
  });

  test('a stream that was trimmed to nothing goes on; one that was deleted begins again', async () => {
    await append(20);
    await forwardAll();
    await client.xTrim(KEY, 'MINID', '21-0');
    await append(30);
    await forwardAll();
    expectEntries((await read(30)).flat(), 21, 30);
    await client.del(KEY);
    await append(40);
    await forwardAll();
    expectEntries((await read(40)).flat(), 1, 40);
  });

  test('a log that begins later, also where a group of consumers waits already', async () => {
    await append(400);
    await wal.checkpoint(300);
    const { firstLsn } = wal;
    for (const hasGroup of [false, true]) {
      await client.del(KEY);
      if (hasGroup) await client.xGroupCreate(KEY, 'group', '0', { MKSTREAM: true });
      await forwardAll();
      expectEntries((await read(400)).flat(), firstLsn, 400);
    }
  });

  test('a full server: it waits for room, and nothing is missing', async () => {
    await append(60);
    await client.configSet('maxmemory', '1');
    const messages: string[] = [];
    await forwardAll({
      onRetry: (error) => {
        messages.push((error as Error).message);
        if (messages.length === 4) void client.configSet('maxmemory', '0');
      },
    });
    expect(messages.join()).toMatch(/OOM/);
    expectEntries((await read(60)).flat(), 1, 60);
  });

  test('a key of another type is refused, and so are a closed client and one with an offline queue', async () => {
    await append(3);
    await client.set(KEY, 'text');
    await expect(forwardAll()).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
    const queueing = await connected({});
    expect(() => redisTarget(queueing, { key: KEY })).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_REFUSED' }),
    );
    queueing.destroy();
    const closed = await connected();
    const given = redisTarget(closed, { key: KEY });
    closed.destroy();
    await expect(forwardAll({ target: given })).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
  });

  test('a batch that was cut to its first entries is read as what is left of it', async () => {
    await wal.append(entry(1));
    await wal.appendBatch(range(2, 6).map((lsn) => entry(lsn)));
    await wal.truncateAfter(4);
    await forwardAll();
    const entries = (await read(4)).flat();
    expectEntries(entries, 1, 4);
    const left = { first: 2, count: 3 };
    expect(entries.map(({ batch }) => batch)).toEqual([undefined, left, left, left]);
  });

  test.each(['', '1', '1/0', '4/1', '6/2', '1/2', '4/-1', '99999999999999999999/1'])(
    'a field that names no batch of its message is no batch: %j',
    async (b) => {
      for (let lsn = 1; lsn <= 8; ++lsn) await wal.append(entry(lsn));
      for (const { lsn, data, position: p } of wal.entries())
        await client.xAdd(KEY, `${lsn}-0`, lsn === 5 ? { d: data, p, b } : { d: data, p });
      const batches: WalEntry[] = [];
      const reading = (async () => {
        for await (const batch of subscribe(client, { key: KEY })) batches.push(...batch);
      })();
      await expect(reading).rejects.toMatchObject({ code: 'ERR_CORRUPT', lsn: 5 });
      expectEntries(batches, 1, 4);
    },
  );

  test('a stream that was trimmed to nothing goes on for a reader that has all of it', async () => {
    await append(20);
    await forwardAll();
    await client.xTrim(KEY, 'MAXLEN', 0);
    const coming = read(23, { from: wal.get(20)!.position });
    await append(23);
    await forwardAll();
    expectEntries((await coming).flat(), 21, 23);
    await client.del(KEY);
    const missing = { code: 'ERR_TRUNCATED', lsn: 20, lastLsn: 0 };
    await expect(read(23, { from: wal.get(20)!.position })).rejects.toMatchObject(missing);
  });

  test('a reader is told when its entry was lost, and the log was truncated before it came again', async () => {
    await append(20);
    await forwardAll({ batchEntries: 4 });
    const read: WalEntry[] = [];
    let isBack = false;
    const reading = (async () => {
      for await (const entries of subscribe(client, { key: KEY, pollMs: 1, batchEntries: 3 })) {
        read.push(...entries);
        if (isBack || read.length < 20) continue;
        // The server has lost it all, and gets it again, before the reader asks for more.
        isBack = true;
        await client.del(KEY);
        await wal.truncateAfter(15);
        for (let lsn = 16; lsn <= 30; ++lsn) await wal.append(entry(lsn));
        await forwardAll({ batchEntries: 10 });
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_TRUNCATED', lsn: 20 });
    expectEntries(read, 1, 20);
  });

  test('a frozen server is noticed, and what was sent to it comes once', async () => {
    await append(20);
    const done = forward(wal, { target: target({ timeoutMs: 200 }), retryMs: 5, retryMsMax: 100 });
    await until(
      'the first are there',
      async () => (await client.exists(KEY)) === 1 && (await lastId()) === '20-0',
    );
    server.signal('SIGSTOP');
    await append(60);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    server.signal('SIGCONT');
    await until('all are there', async () => (await lastId()) === '60-0');
    await wal.close();
    await done;
    expectEntries((await read(60)).flat(), 1, 60);
  });

  test.each([
    [{}, {}, 'ERR_INVALID_ARG_TYPE', 'client must be a client of redis; got an object'],
    [undefined, {}, 'ERR_INVALID_ARG_TYPE', 'options.key must be a string; got undefined'],
    [undefined, { key: 'a', kez: 1 }, 'ERR_INVALID_ARG_VALUE', 'the nearest one is key'],
    [undefined, { key: 'a', timeoutMs: 0 }, 'ERR_OUT_OF_RANGE', 'options.timeoutMs'],
  ])('what is refused: %#', (given, options, code, message) => {
    const refusal = expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(() => redisTarget((given ?? client) as any, options as any)).toThrow(refusal);
    expect(() => subscribe((given ?? client) as any, options as any)).toThrow(refusal);
  });
});
