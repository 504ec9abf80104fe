/** Against a real nats-server. */
/* eslint-disable @typescript-eslint/no-require-imports -- without the clients the tests are skipped */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  forward,
  Wal,
  type ForwardOptions,
  type ForwardProgress,
  type ForwardTarget,
  type WalEntry,
} from 'atomic-log';
import {
  connectionOptions,
  jetStreamTarget,
  restore,
  subscribe,
  type JetStreamTargetOptions,
  type SubscribeOptions,
} from 'atomic-log/jetstream';

import { requireInternal } from '../../support/internals';
import { describeWith, Server, until } from '../../support/servers';
import { entry, expectIntact, range, SMALL_FILES } from '../../support/wals';

const STREAM = 'orders';

describeWith('nats-server', ['@nats-io/transport-node', '@nats-io/jetstream'])('JetStream', () => {
  const { connect } = require('@nats-io/transport-node');
  const { jetstream, jetstreamManager } = require('@nats-io/jetstream');
  let directory: string;
  let server: Server;
  let connection: any;
  let manager: any;
  let wal: Wal;

  const connected = (options = {}) =>
    connect({
      servers: `127.0.0.1:${server.port}`,
      ...connectionOptions,
      reconnectDelayHandler: () => 20,
      ...options,
    });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'jetstream-'));
    server = await Server.nats(join(directory, 'server'));
  });

  afterAll(async () => {
    await server?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    connection = await connected();
    manager = await jetstreamManager(connection);
    await manager.streams.delete(STREAM).catch(() => undefined);
    rmSync(join(directory, 'log'), { recursive: true, force: true });
    rmSync(join(directory, 'restored'), { recursive: true, force: true });
    wal = Wal.openSync(join(directory, 'log'), SMALL_FILES);
  });

  afterEach(async () => {
    wal.closeSync();
    await connection.close();
  });

  const target = (options: Partial<JetStreamTargetOptions> = {}): Promise<ForwardTarget> =>
    jetStreamTarget(connection, { stream: STREAM, ...options });

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
  async function forwardAll(options: Partial<ForwardOptions> = {}): Promise<ForwardProgress> {
    const last = wal.durableLsn;
    const controller = new AbortController();
    let reached: ForwardProgress | undefined;
    const onProgress = (progress: ForwardProgress): void => {
      if (progress.acknowledged < last) return;
      reached = progress;
      controller.abort();
    };
    const given = { target: options.target ?? (await target()), retryMs: 1, retryMsMax: 50 };
    await forward(wal, { ...given, onProgress, signal: controller.signal, ...options }).catch(
      (error: unknown) => {
        if (reached === undefined) throw error;
      },
    );
    return reached!;
  }

  /** Entries of the stream up to there. */
  async function read(last: number, options: Partial<SubscribeOptions> = {}): Promise<WalEntry[][]> {
    const batches: WalEntry[][] = [];
    for await (const batch of subscribe(connection, { stream: STREAM, ...options })) {
      batches.push(batch);
      if (batch.at(-1)!.lsn >= last) break;
    }
    return batches;
  }

  function expectEntries(entries: readonly WalEntry[], first: number, last: number): void {
    expect(entries.map(({ lsn }) => lsn)).toEqual(range(first, last));
    for (const { lsn, data } of entries) expect(entry(lsn).equals(data)).toBe(true);
  }

  test('the sequence is the LSN; a reader gets the same entries, positions and batches', async () => {
    await append(50);
    await forwardAll();
    const { state } = await manager.streams.info(STREAM);
    expect(state).toMatchObject({ messages: 50, first_seq: 1, last_seq: 50 });
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
    await new Promise((resolve) => setTimeout(resolve, 300));
    await append(62);
    await forwardAll();
    expectEntries((await coming).flat(), 61, 62);
  });

  test('it goes on where the stream is, and stores nothing twice', async () => {
    await append(20);
    await forwardAll();
    await append(45);
    await forwardAll();
    expectEntries((await read(45)).flat(), 1, 45);
  });

  test('two of the same log do each other no harm', async () => {
    await append(200);
    await Promise.all([forwardAll(), forwardAll(), forwardAll()]);
    expectEntries((await read(200)).flat(), 1, 200);
  });

  test('another log is noticed, and named', async () => {
    await append(5);
    await forwardAll();
    const other = Wal.openSync(join(directory, 'other'));
    for (let lsn = 1; lsn <= 9; ++lsn) other.appendSync(entry(lsn));
    const failure = forward(other, { target: await target() });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 1 });
    await expect(failure).rejects.toThrow(wal.get(1)!.position);
    other.closeSync();
  });

  test('a second publisher is noticed while it runs', async () => {
    await append(5);
    const done = forward(wal, { target: await target(), retryMs: 1 });
    const noticed = expect(done).rejects.toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 6 });
    await until(
      'all is there',
      async () => (await manager.streams.info(STREAM).catch(() => undefined))?.state.last_seq === 5,
    );
    await jetstream(connection).publish(STREAM, Buffer.from('not of the log'));
    await append(8);
    await noticed;
    await expect(read(6)).rejects.toMatchObject({ code: 'ERR_CORRUPT', lsn: 6 });
  });

  test('truncateAfter() in between is an error, though the server calls it a duplicate', async () => {
    await append(6);
    await forwardAll();
    await wal.truncateAfter(3);
    for (let lsn = 4; lsn <= 8; ++lsn) await wal.append(Buffer.from(`another ${lsn}`));
    await expect(forwardAll()).rejects.toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 4 });
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

  test('after a purge it goes on, and readers are told what they miss', async () => {
    await append(20);
    await forwardAll();
    await manager.streams.purge(STREAM);
    await append(30);
    await forwardAll();
    await expect(read(30, { from: 11 })).rejects.toMatchObject({
      code: 'ERR_ENTRIES_LOST',
      lsn: 11,
      firstLsn: 21,
    });
    expectEntries((await read(30)).flat(), 21, 30);
    // Who has all that was purged lacks nothing.
    expectEntries((await read(30, { from: wal.get(20)!.position })).flat(), 21, 30);
  });

  test('a reader is told when its entry was lost, and the log was truncated before it came again', async () => {
    await append(20);
    await forwardAll();
    const read: WalEntry[] = [];
    let isBack = false;
    const reading = (async () => {
      for await (const entries of subscribe(connection, { stream: STREAM })) {
        read.push(...entries);
        if (isBack || read.length < 20) continue;
        isBack = true;
        await manager.streams.delete(STREAM);
        await wal.truncateAfter(15);
        for (let lsn = 16; lsn <= 30; ++lsn) await wal.append(entry(lsn));
        await forwardAll();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_TRUNCATED', lsn: 20 });
    expectEntries(read, 1, 20);
  });

  test('a message that was deleted is not jumped over', async () => {
    await append(20);
    await forwardAll();
    await manager.streams.deleteMessage(STREAM, 12);
    const read: WalEntry[] = [];
    const reading = (async () => {
      for await (const entries of subscribe(connection, { stream: STREAM })) read.push(...entries);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_ENTRIES_LOST', lsn: 12, firstLsn: 13 });
    // What is before comes first, in whole batches: 9 to 11 are one.
    expectEntries(read, 1, 11);
  });

  test('a stream that was deleted is made again, with all of the log', async () => {
    await append(20);
    await forwardAll();
    await manager.streams.delete(STREAM);
    await append(25);
    await forwardAll();
    expectEntries((await read(25)).flat(), 1, 25);
  });

  test('a full stream: it waits for room, and nothing is missing', async () => {
    await append(30);
    const full = await target({ create: { max_msgs: 10 } });
    const messages: string[] = [];
    await forwardAll({
      target: full,
      onRetry: (error) => {
        messages.push((error as Error).message);
        if (messages.length % 8 === 0) void manager.streams.purge(STREAM, { keep: 1 });
      },
    });
    expect(messages.join()).toMatch(/maximum messages exceeded/);
    expect((await manager.streams.info(STREAM)).state.last_seq).toBe(30);
    const [last] = (await read(30)).flat().slice(-1);
    expect(entry(30).equals(last!.data)).toBe(true);
  });

  test('an entry that the server does not take is refused, and none is left out', async () => {
    await wal.close();
    wal = Wal.openSync(join(directory, 'log'), { segmentBytes: 1 << 22 });
    wal.appendSync(entry(1));
    wal.appendSync(Buffer.alloc(1 << 20));
    wal.appendSync(entry(3));
    await expect(forwardAll()).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED', lsn: 2 });
    expect((await manager.streams.info(STREAM)).state.last_seq).toBeLessThanOrEqual(1);
    const { entryBytesMax } = wal;
    await expect(target({ entryBytesMax })).rejects.toMatchObject({
      code: 'ERR_TARGET_REFUSED',
      message: expect.stringMatching(/raise max_payload there to \d+.*smaller entryBytesMax/) as string,
    });
    await wal.close();
    wal = Wal.openSync(join(directory, 'log'), { entryBytesMax: 1 << 19 });
    await expect(target({ entryBytesMax: wal.entryBytesMax })).resolves.toBeDefined();
  });

  test('a log that begins later: where the server can', async () => {
    await append(400);
    await wal.checkpoint(300);
    const { firstLsn } = wal;
    const done = forwardAll();
    if (/^2\.[0-9]\./.test(connection.info.version)) {
      await expect(done).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
      await expect(done).rejects.toThrow(/takes 2\.10 or later/);
    } else {
      await done;
      expectEntries((await read(400)).flat(), firstLsn, 400);
    }
  });

  test.each([
    ['2.9.25', undefined, /2\.9\.25 cannot do: it takes 2\.10 or later/],
    ['2.10.0', 10, undefined],
    ['3.0.0-beta', 10, undefined],
    [undefined, undefined, /0 cannot do/],
  ])('a log that begins later, with a server that says it is %s', async (version, first_seq, refusal) => {
    const told = Object.create(connection, { info: { value: { version, max_payload: 1 << 20 } } });
    const given = await jetStreamTarget(told, { stream: STREAM });
    const begun = given.begin!(10, { signal: undefined });
    if (refusal !== undefined) {
      await expect(begun).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
      await expect(begun).rejects.toThrow(refusal);
      await expect(manager.streams.info(STREAM)).rejects.toThrow(/not found/);
      return;
    }
    const asked = await begun.then(
      () => manager.streams.info(STREAM).then(({ state }: any) => state.first_seq),
      // The client knows better which server that is.
      (error: unknown) => (/requires server 2\.10/.exec((error as Error).message) ? first_seq : error),
    );
    expect(asked).toBe(first_seq);
  });

  test.each([
    [{ subjects: ['other'] }, /does not take subject orders; its subjects: other/],
    [{ subjects: ['orders.>', 'x.*'] }, /does not take subject orders; its subjects: orders\.>, x\.\*/],
    [{ mirror: { name: 'another' } }, /does not take subject orders; its subjects: none/],
    [{ subjects: [STREAM], retention: 'interest' }, /has retention "interest"/],
    [{ subjects: [STREAM], retention: 'workqueue' }, /has retention "workqueue"/],
    [{ subjects: [STREAM], no_ack: true }, /has no_ack/],
    [{ subjects: [STREAM], sealed: true }, /sealed/],
    [{ subjects: [STREAM], max_msg_size: 1 }, /size exceeds maximum/],
  ])('a stream that cannot keep the log is refused: %j', async ({ sealed, ...config }: any, message) => {
    await append(3);
    await manager.streams.add({ name: 'another' });
    await manager.streams.add({ name: STREAM, ...config });
    if (sealed) await manager.streams.update(STREAM, { sealed });
    const done = forwardAll({ onRetry: (error) => expect(String(error)).toBe('never tried again') });
    await expect(done).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
    await expect(done).rejects.toThrow(message);
    await manager.streams.delete('another');
  });

  test('a subject that the stream takes by a wildcard; entries that are not kept for long', async () => {
    await append(5);
    await manager.streams.add({ name: STREAM, subjects: ['*.log.>'] });
    await forwardAll({ target: await target({ subject: 'a.log.b.c' }) });
    expectEntries((await read(5)).flat(), 1, 5);
    await manager.streams.delete(STREAM);
    await forwardAll({ target: await target({ create: { max_age: 60e9 } }) });
    expect((await manager.streams.info(STREAM)).config).toMatchObject({ duplicate_window: 60e9 });
  });

  test('a stream that is not to be made is refused', async () => {
    await append(3);
    const given = await target({ create: false });
    await expect(forwardAll({ target: given })).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
  });

  test('a server that dies while the connection is made: it is tried again soon', async () => {
    const info = { server_id: 'x', version: '2.9.10', proto: 1, headers: true, max_payload: 1 << 20 };
    let connections = 0;
    const dying = createServer((socket) => {
      ++connections;
      socket.on('error', () => undefined).on('data', () => socket.resetAndDestroy());
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    }).listen(0, '127.0.0.1');
    await once(dying, 'listening');
    expect(connectionOptions.timeout).toBe(5000);
    // The client ends such an attempt by time alone.
    const quick = { reconnectDelayHandler: () => 1, timeout: connectionOptions.timeout / 100 };
    const { port } = dying.address() as AddressInfo;
    const given = { ...connectionOptions, ...quick, waitOnFirstConnect: false, maxReconnectAttempts: 3 };
    await expect(connect({ servers: `127.0.0.1:${port}`, ...given })).rejects.toThrow();
    expect(connections).toBeGreaterThan(0);
    dying.close();
  });

  test.each(['', 'a..b', 'a b', '.a', 'a.', '>', 'a.*', '*'])(
    'what is no subject is refused: %j',
    async (subject) => {
      await expect(target({ subject })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    },
  );

  test('a connection that is closed for good ends it', async () => {
    await append(3);
    const given = await target();
    await connection.close();
    await expect(forwardAll({ target: given })).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
  });

  test('a log is restored, and is the same', async () => {
    await append(100);
    await forwardAll();
    const path = join(directory, 'restored');
    const restored = await restore(path, connection, { stream: STREAM, wal: SMALL_FILES });
    expect(restored).toEqual({ firstLsn: 1, lastLsn: 100, position: wal.get(100)!.position });
    const again = Wal.openSync(path);
    expectIntact(again, 1, 100);
    expect([...again.entries()].map(({ batch }) => batch)).toEqual(
      [...wal.entries()].map(({ batch }) => batch),
    );
    again.closeSync();
    await expect(restore(path, connection, { stream: STREAM })).rejects.toMatchObject({
      code: 'ERR_FILE_EXISTS',
    });
  });

  test('a stream that ends within a batch is restored up to it', async () => {
    await wal.append(entry(1));
    await wal.appendBatch([entry(2), entry(3), entry(4)]);
    await forwardAll();
    // As a publisher leaves it that was killed.
    await manager.streams.delete(STREAM);
    await manager.streams.add({ name: STREAM, subjects: [STREAM] });
    const { headers } = require('@nats-io/transport-node');
    const { stampOf } = requireInternal<any>('replication/stamp.js');
    for (const given of [...wal.entries()].slice(0, 3)) {
      const header = headers();
      if (given.batch) header.set('Atomic-Log-Batch', `${given.batch.first}/${given.batch.count}`);
      await jetstream(connection).publish(STREAM, given.data, { msgID: stampOf(given), headers: header });
    }
    const path = join(directory, 'restored');
    expect(await restore(path, connection, { stream: STREAM })).toMatchObject({ lastLsn: 1 });
    await forwardAll();
    expectEntries((await read(4)).flat(), 1, 4);
  });

  test('a batch that was cut to its first entries is read and restored as what is left of it', async () => {
    await wal.append(entry(1));
    await wal.appendBatch(range(2, 6).map((lsn) => entry(lsn)));
    await wal.truncateAfter(4);
    await forwardAll();
    expectEntries((await read(4)).flat(), 1, 4);
    for (let lsn = 5; lsn <= 9; ++lsn) await wal.append(entry(lsn));
    await forwardAll();
    const path = join(directory, 'restored');
    expect(await restore(path, connection, { stream: STREAM })).toMatchObject({ lastLsn: 9 });
    const again = Wal.openSync(path);
    expectIntact(again, 1, 9);
    const left = { first: 2, count: 3 };
    expect([...again.entries()].map(({ batch }) => batch).slice(0, 5)).toEqual([
      undefined,
      left,
      left,
      left,
      undefined,
    ]);
    again.closeSync();
  });

  /** Stores the first entries of the log, each with a header for its batch. */
  async function publish(headerOf: (lsn: number) => string | undefined): Promise<void> {
    await manager.streams.add({ name: STREAM, subjects: [STREAM] });
    const { headers } = require('@nats-io/transport-node');
    const { stampOf } = requireInternal<any>('replication/stamp.js');
    for (const given of wal.entries()) {
      const header = headers();
      const batch = headerOf(given.lsn);
      if (batch !== undefined) header.set('Atomic-Log-Batch', batch);
      await jetstream(connection).publish(STREAM, given.data, { msgID: stampOf(given), headers: header });
    }
  }

  test.each(['1', '1/0', '4/1', '6/2', '1/2', '4/-1', '4/2x', '99999999999999999999/1'])(
    'a header that names no batch of its message is no batch: %j',
    async (text) => {
      for (let lsn = 1; lsn <= 8; ++lsn) await wal.append(entry(lsn));
      await publish((lsn) => (lsn === 5 ? text : undefined));
      const noted = { code: 'ERR_CORRUPT', lsn: 5 };
      await expect(read(8)).rejects.toMatchObject(noted);
      const restored = restore(join(directory, 'restored'), connection, { stream: STREAM });
      await expect(restored).rejects.toMatchObject(noted);
    },
  );

  test('a batch within another one is damaged', async () => {
    for (let lsn = 1; lsn <= 8; ++lsn) await wal.append(entry(lsn));
    await publish((lsn) => ({ 2: '2/4', 3: '2/4', 4: '3/3' })[lsn]);
    await expect(read(8)).rejects.toMatchObject({ code: 'ERR_CORRUPT', lsn: 4 });
  });

  test('what is left of a batch is delivered when another one begins', async () => {
    for (let lsn = 1; lsn <= 8; ++lsn) await wal.append(entry(lsn));
    await publish((lsn) => ({ 2: '2/4', 3: '2/4', 4: '4/2', 5: '4/2' })[lsn]);
    expectEntries((await read(8)).flat(), 1, 8);
  });

  test('a frozen server is noticed, and what was sent to it comes once', async () => {
    await connection.close();
    connection = await connected({ pingInterval: 200, maxPingOut: 2 });
    await append(20);
    const done = forward(wal, { target: await target({ timeoutMs: 2000 }), retryMs: 5, retryMsMax: 100 });
    void done.catch(() => undefined);
    const last = async () => (await manager.streams.info(STREAM).catch(() => undefined))?.state.last_seq;
    manager = await jetstreamManager(connection);
    await until('the first are there', async () => (await last()) === 20);
    server.signal('SIGSTOP');
    await append(60);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    server.signal('SIGCONT');
    await until('all are there', async () => (await last()) === 60);
    await wal.close();
    await done;
    expectEntries((await read(60)).flat(), 1, 60);
  });

  test.each([
    [{}, {}, 'ERR_INVALID_ARG_TYPE', 'connection must be a connection of @nats-io/transport-node'],
    [undefined, {}, 'ERR_INVALID_ARG_TYPE', 'options.stream must be a string; got undefined'],
    [undefined, { stream: '' }, 'ERR_INVALID_ARG_VALUE', 'options.stream must be 1 to 255 characters'],
    [undefined, { stream: 'a.b' }, 'ERR_INVALID_ARG_VALUE', 'got "a.b"'],
    [undefined, { stream: 'a b' }, 'ERR_INVALID_ARG_VALUE', 'got "a b"'],
    [undefined, { stream: 'a', strem: 1 }, 'ERR_INVALID_ARG_VALUE', 'the nearest one is stream'],
    [undefined, { stream: 'a', timeoutMs: 0 }, 'ERR_OUT_OF_RANGE', 'options.timeoutMs'],
  ])('what is refused: %#', async (given, options, code, message) => {
    const refusal = { code, message: expect.stringContaining(message) };
    await expect(jetStreamTarget(given ?? connection, options as any)).rejects.toMatchObject(refusal);
    expect(() => subscribe(given ?? connection, options as any)).toThrow(expect.objectContaining(refusal));
  });
});
