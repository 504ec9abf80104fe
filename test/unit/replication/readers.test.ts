/** What readers of both engines do alike when they cannot read, against real servers. */
/* eslint-disable @typescript-eslint/no-require-imports -- without the clients the tests are skipped */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { forward, Wal, type ForwardTarget, type Retry, type WalEntry } from 'atomic-log';

import { describeWith, Server, until } from '../../support/servers';
import { entry, range, SMALL_FILES } from '../../support/wals';

type OnRetry = (error: unknown, retry: Retry) => unknown;

interface Engine {
  readonly program: string;
  readonly packages: readonly string[];
  server(path: string): Promise<Server>;
  connect(port: number): Promise<{
    target(): Promise<ForwardTarget> | ForwardTarget;
    read(options: { onRetry?: OnRetry; signal?: AbortSignal }): AsyncIterable<WalEntry[]>;
    close(): unknown;
  }>;
}

const engines: Record<string, Engine> = {
  JetStream: {
    program: 'nats-server',
    packages: ['@nats-io/transport-node', '@nats-io/jetstream'],
    server: (path) => Server.nats(path),
    async connect(port) {
      const { connect } = require('@nats-io/transport-node');
      const { connectionOptions, jetStreamTarget, subscribe } = require('atomic-log/jetstream');
      const options = { ...connectionOptions, reconnectDelayHandler: () => 20 };
      const connection = await connect({ servers: `127.0.0.1:${port}`, ...options });
      return {
        target: () => jetStreamTarget(connection, { stream: 'orders' }),
        read: (given) => subscribe(connection, { stream: 'orders', ...given }),
        close: () => connection.close(),
      };
    },
  },
  Redis: {
    program: 'redis-server',
    packages: ['redis'],
    server: (path) => Server.redis(path),
    async connect(port) {
      const { createClient } = require('redis');
      const { clientOptions, redisTarget, subscribe } = require('atomic-log/redis');
      const socket = { host: '127.0.0.1', port, reconnectStrategy: 20 };
      const client = createClient({ ...clientOptions, socket });
      client.on('error', () => undefined);
      await client.connect();
      return {
        target: () => redisTarget(client, { key: 'orders' }),
        read: (given) => subscribe(client, { key: 'orders', ...given }),
        close: () => client.destroy(),
      };
    },
  },
};

describe.each(Object.entries(engines))('%s', (_, engine) => {
  describeWith(engine.program, engine.packages)('a reader that cannot read', () => {
    let directory: string;
    let server: Server;
    let wal: Wal;
    let client: Awaited<ReturnType<Engine['connect']>>;

    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), 'readers-'));
      server = await engine.server(join(directory, 'server'));
      wal = Wal.openSync(join(directory, 'log'), SMALL_FILES);
      client = await engine.connect(server.port);
    });

    afterEach(async () => {
      wal.closeSync();
      await client.close();
      await server.kill();
      rmSync(directory, { recursive: true, force: true });
    });

    async function forwardTo(last: number): Promise<void> {
      while (wal.lastLsn < last) await wal.append(entry(wal.lastLsn + 1));
      const controller = new AbortController();
      const { signal } = controller;
      const onProgress = ({ acknowledged }: { acknowledged: number }): void => {
        if (acknowledged === last) controller.abort();
      };
      await forward(wal, { target: await client.target(), onProgress, signal, retryMsMax: 50 }).catch(
        (error: unknown) => {
          if (!signal.aborted) throw error;
        },
      );
    }

    test('tells of each failure that it tries again; they are counted until it can', async () => {
      const told: [unknown, Retry][] = [];
      const controller = new AbortController();
      const { signal } = controller;
      const read: number[] = [];
      const reading = (async () => {
        const onRetry: OnRetry = (error, retry) => told.push([error, retry]);
        for await (const entries of client.read({ onRetry, signal }))
          read.push(...entries.map(({ lsn }) => lsn));
      })();
      // There is no stream yet.
      await until('it was told twice', () => told.length >= 2);
      const before = told.length;
      await forwardTo(10);
      await until('ten entries are read', () => read.length === 10);
      await server.kill();
      await until('it was told again', () => told.length >= before + 3);
      await server.start();
      await forwardTo(20);
      await until('twenty entries are read', () => read.length === 20);
      expect(read).toEqual(range(1, 20));
      let attempts = 0;
      for (const [error, { attempt, delayMs }] of told) {
        attempts = attempt === 1 ? 1 : attempts + 1;
        expect({ attempt, delayMs }).toEqual({ attempt: attempts, delayMs: 250 });
        // Of another realm here, where the client made it.
        expect(error).toMatchObject({ message: expect.any(String) });
      }
      expect(told.filter(([, { attempt }]) => attempt === 1).length).toBeGreaterThanOrEqual(2);
      controller.abort(new Error('enough'));
      await expect(reading).rejects.toThrow(new Error('enough'));
    });

    test.each<[string, OnRetry]>([
      [
        'throws',
        () => {
          throw new RangeError('enough');
        },
      ],
      ['rejects with', () => Promise.reject(new RangeError('enough'))],
    ])('ends with what onRetry %s', async (__, onRetry) => {
      const next = client.read({ onRetry })[Symbol.asyncIterator]().next();
      await expect(next).rejects.toThrow(new RangeError('enough'));
    });

    test('what is not a function is refused', () => {
      const refusal = { code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining('options.onRetry') };
      expect(() => client.read({ onRetry: 1 as any })).toThrow(expect.objectContaining(refusal));
    });
  });
});
