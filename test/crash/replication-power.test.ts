/** A log that is carried through a real server whose power goes: its disk, as it is at one moment, is what it starts again with. */
/* eslint-disable @typescript-eslint/no-require-imports -- without the clients the tests are skipped */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { forward, Wal, type ForwardTarget, type WalEntry } from 'atomic-log';
import * as jetstreams from 'atomic-log/jetstream';
import * as streams from 'atomic-log/redis';

import { canMount, copyDisk, isStopped, makeDisk, mounted } from '../support/disk';
import { describeWith, Server, until } from '../support/servers';
import { sized } from '../support/sizes';
import { entry } from '../support/wals';

const LOSSES = sized('REPLICATION_POWER_LOSSES', { small: 2, long: 12 });
const ROUND_ENTRIES = 400;
const TIMEOUT_MS = 30 * 60_000;

interface Client {
  readonly target: ForwardTarget;
  read(): AsyncIterable<WalEntry[]>;
  close(): unknown;
}

async function jetstream(port: number): Promise<Client> {
  const { connect } = require('@nats-io/transport-node');
  const connection = await connect({
    servers: `127.0.0.1:${port}`,
    ...jetstreams.connectionOptions,
    reconnectDelayHandler: () => 20,
  });
  return {
    target: await jetstreams.jetStreamTarget(connection, { stream: 'log' }),
    read: () => jetstreams.subscribe(connection, { stream: 'log' }),
    close: () => connection.close(),
  };
}

async function redis(port: number): Promise<Client> {
  const { createClient } = require('redis');
  const socket = { host: '127.0.0.1', port, reconnectStrategy: 20 };
  const client = createClient({ ...streams.clientOptions, socket });
  client.on('error', () => undefined);
  await client.connect();
  return {
    target: streams.redisTarget(client, { key: 'log' }),
    read: () => streams.subscribe(client, { key: 'log' }),
    close: () => client.destroy(),
  };
}

const engines = {
  jetstream: {
    program: 'nats-server',
    packages: ['@nats-io/transport-node', '@nats-io/jetstream'],
    connect: jetstream,
  },
  redis: { program: 'redis-server', packages: ['redis'], connect: redis },
};

if (!canMount())
  process.stderr.write('skipped: losses of power of servers need root, mkfs.ext4 and loop devices\n');
const testOnDisk = canMount() ? test : test.skip;

describe.each(['jetstream', 'redis'] as const)('%s', (engine) => {
  const { program, packages, connect } = engines[engine];
  describeWith(program, packages)('a log, and a server that loses its power', () => {
    let directory: string;
    let server: Server | undefined;

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), `power-${engine}-`));
    });

    afterAll(async () => {
      await server?.kill();
      rmSync(directory, { recursive: true, force: true });
    });

    testOnDisk(
      `${LOSSES} losses: every entry is there once and in order, and checkpoints have kept it`,
      async () => {
        const disk = join(directory, 'disk');
        const path = join(directory, 'mnt');
        mkdirSync(path);
        expect(makeDisk(disk)).toBe(true);
        const prefix = ['unshare', ...mounted(disk, path)];
        server = await (engine === 'redis' ? Server.redisOn(path, prefix) : Server.nats(path, '', prefix));
        const client = await connect(server.port);
        const wal = await Wal.open(join(directory, 'log'), { segmentBytes: 1 << 16 });
        const cursor = await wal.cursor('copy');
        const controller = new AbortController();
        let acknowledged = 0;
        const { signal } = controller;
        // Of a target that is safe in minutes: the cursor keeps all that a loss can take back.
        const done = forward(wal, {
          target: client.target,
          cursor,
          signal,
          retryMs: 10,
          retryMsMax: 100,
          onProgress: (progress) => void ({ acknowledged } = progress),
        });
        const ended = done.catch((error: unknown) => error);
        const append = async (count: number): Promise<void> => {
          for (let i = 0; i < count; ++i) await wal.append(entry(wal.lastLsn + 1));
        };
        await append(20);
        await until('the first are there', () => acknowledged === 20);
        // The files that the server has begun with.
        spawnSync('sync');
        for (let loss = 0; loss < LOSSES; ++loss) {
          const begun = acknowledged;
          const appended = append(ROUND_ENTRIES);
          await until(
            'more is acknowledged',
            () => acknowledged > begun + Math.random() * ROUND_ENTRIES * 0.8,
          );
          server.signal('SIGSTOP');
          await isStopped(server.pid);
          await copyDisk(disk, `${disk}.left`);
          await server.kill();
          renameSync(`${disk}.left`, disk);
          await wal.checkpoint(wal.lastLsn);
          await server.start();
          await appended;
        }
        await until('all is acknowledged', () => acknowledged === wal.durableLsn);
        controller.abort();
        expect(await ended).toBe(signal.reason);
        let next = 1;
        for await (const entries of client.read()) {
          for (const { lsn, data } of entries) {
            expect(lsn).toBe(next++);
            expect(entry(lsn).equals(data)).toBe(true);
          }
          if (next > wal.lastLsn) break;
        }
        expect(next).toBe(20 + LOSSES * ROUND_ENTRIES + 1);
        await cursor.close();
        await wal.close();
        await client.close();
      },
      TIMEOUT_MS,
    );
  });
});
