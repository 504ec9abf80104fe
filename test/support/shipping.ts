/** The example that ships a log over a socket: its two programs, and what the copy must be. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { WalReader, type Wal, type WalEntry } from 'atomic-log';

import { packageRoot } from './internals';

const PAST_BYTES = 8;

export type Program = ChildProcess & {
  /** What it says on stderr. */
  said: string;
  /** With all that it has said. */
  readonly ended: Promise<unknown>;
};

export const pause = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Of those that no system gives to who asks for any: a receiver that starts again finds its port
 * free, whatever other tests do.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const candidate = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(candidate, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    return candidate;
  }
}

/** A directory with logs, a port for the receiver, and the programs that were started. */
export class Shipping {
  readonly #programs = new Set<Program>();
  readonly #others: { end(): void }[] = [];

  private constructor(
    readonly directory: string,
    /** Where the receiver listens. */
    readonly port: number,
  ) {}

  static async begin(): Promise<Shipping> {
    return new Shipping(mkdtempSync(join(tmpdir(), 'shipping-')), await freePort());
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  start(side: 'send' | 'receive', name: string, port = this.port, variables = {}): Program {
    const file = join(packageRoot, 'examples', 'log-shipping', `${side}.mjs`);
    const child = spawn(process.execPath, [file, this.path(name), String(port)], {
      cwd: packageRoot,
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, ...variables },
    });
    const program = Object.assign(child, { said: '', ended: once(child, 'close') });
    this.#programs.add(program);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (program.said += text));
    return program;
  }

  async kill(program: Program): Promise<void> {
    this.#programs.delete(program);
    program.kill('SIGKILL');
    await program.ended;
  }

  /** To be ended with it. */
  with<T extends { end(): void }>(other: T): T {
    this.#others.push(other);
    return other;
  }

  async end(): Promise<void> {
    for (const other of this.#others) other.end();
    await Promise.all([...this.#programs].map((program) => this.kill(program)));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Resolves when all of the log is in the copy. */
  async copied(wal: Wal): Promise<WalReader> {
    const reader = await WalReader.open(this.path('copy'), { wait: true });
    // A copy that is idle says by and by what is durable.
    while (reader.lastLsn < wal.lastLsn) {
      await pause(5);
      reader.refresh();
    }
    return reader;
  }
}

export const isRunning = ({ exitCode, signalCode }: Program): boolean =>
  exitCode === null && signalCode === null;

/** Waits while these programs go on. */
export async function during(programs: readonly Program[], isTrue: () => boolean): Promise<void> {
  while (!isTrue()) {
    for (const program of programs) if (!isRunning(program)) throw new Error(`it has ended: ${program.said}`);
    await pause(5);
  }
}

/** The copy has all of these, byte for byte, and each says where it is from. */
export function expectSame(copy: WalReader, log: Iterable<WalEntry>): void {
  for (const { lsn, data, position } of log) {
    const found = copy.get(lsn)!.data;
    const [, epoch, branch] = position.split(':');
    expect(found.readUInt32LE(0)).toBe(Number(epoch));
    expect(found.readUInt32LE(4)).toBe(parseInt(branch!, 16));
    if (!found.subarray(PAST_BYTES).equals(data)) throw new Error(`entry ${lsn} is another`);
  }
}
