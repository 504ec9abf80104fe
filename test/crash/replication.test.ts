/** A log that is carried through a real server: all three are killed, again and again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Wal, WalReader } from 'atomic-log';

import { describeWith, Server, until } from '../support/servers';
import { sized } from '../support/sizes';

/** Of the server, of what fills the stream, and of what reads it, each. */
const KILLS = sized('REPLICATION_KILLS', { small: 10, long: 50 });

class Child {
  #process: ChildProcess | undefined;
  readonly #parameters: readonly string[];

  constructor(...parameters: string[]) {
    this.#parameters = [join(__dirname, 'replication.cjs'), ...parameters];
  }

  start(): void {
    this.#process = spawn(process.execPath, this.#parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Fails when it has ended by itself. */
  async kill(): Promise<void> {
    const child = this.#process!;
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

describe.each([
  ['jetstream', 'nats-server', ['@nats-io/transport-node', '@nats-io/jetstream']],
  ['redis', 'redis-server', ['redis']],
] as const)('%s', (engine, program, packages) => {
  describeWith(program, packages)('a log and its copy', () => {
    let directory: string;
    let server: Server;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), `${engine}-`));
      const path = join(directory, 'server');
      server = engine === 'redis' ? await Server.redis(path) : await Server.nats(path);
    });

    afterAll(async () => {
      await server?.kill();
      rmSync(directory, { recursive: true, force: true });
    });

    test('are the same in the end, whoever is killed', async () => {
      const wal = await Wal.open(join(directory, 'log'), { segmentBytes: 1 << 20 });
      const path = join(directory, 'copy');
      const ends = ['forward', 'copy'] as const;
      const [forwarder, copier] = ends.map((end) => {
        const child = new Child(
          end,
          engine,
          String(server.port),
          join(directory, end === 'copy' ? 'copy' : 'log'),
        );
        child.start();
        return child;
      });
      const reader = await WalReader.open(path, { wait: true });
      const copied = (): number => {
        reader.refresh();
        return reader.lastLsn;
      };
      let isWriting = true;
      const writing = (async () => {
        while (isWriting) {
          const count = 1 + Math.floor(Math.random() * 12);
          await wal.appendBatch(
            Array.from({ length: count }, (_, i) => Buffer.from(`${wal.lastLsn} ${i} ${Math.random()}`)),
          );
          await new Promise((resolve) => setTimeout(resolve, wal.durableLsn - copied() > 2000 ? 20 : 1));
        }
      })();
      const moreIsCopied = (): Promise<void> => {
        const goal = copied() + 1 + Math.floor(Math.random() * 200);
        return until(`entry ${goal} is copied`, () => copied() >= goal);
      };
      for (let kills = 0; kills < KILLS; ++kills) {
        await moreIsCopied();
        await server.kill();
        await server.start();
        await moreIsCopied();
        await forwarder!.kill();
        forwarder!.start();
        await moreIsCopied();
        await copier!.kill();
        copier!.start();
      }
      isWriting = false;
      await writing;
      const last = wal.durableLsn;
      await until('all is copied', () => copied() >= last);
      await forwarder!.kill();
      await copier!.kill();
      const copy = Wal.openSync(path);
      const entries = copy.entries();
      for (const { lsn, data } of wal.entries()) {
        const found = entries.next().value;
        if (found?.lsn !== lsn || !data.equals(found.data)) throw new Error(`entry ${lsn} is another`);
      }
      expect(entries.next().done).toBe(true);
      copy.closeSync();
      reader.close();
      await wal.close();
    });
  });
});
