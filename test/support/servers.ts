// Real servers for tests of replication: Debian's nats-server and redis-server, on ports of
// the loopback and in directories of their own.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

/** `describe`, or, with a printed reason, something that is skipped where a program, or a package of the clients, is not installed. */
export function describeWith(
  program: string,
  packages: readonly string[],
): (name: string, tests: () => void) => void {
  const missing = packages.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (spawnSync(program, ['--version']).error !== undefined) missing.push(program);
  if (missing.length === 0) return describe;
  const reason = `needs ${missing.join(', ')}: npm ci; apt-get install ${program}`;
  process.stderr.write(`skipped: ${reason}\n`);
  return (name) => test.skip(`${name} ${reason}`, () => undefined);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Until the condition holds; fails after a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); ++tries) {
    if (tries > 12_000) throw new Error(`not within a minute: ${what}`);
    await pause(5);
  }
}

/** A server that can be killed, and started again on the same port and directory. */
export class Server {
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    readonly program: string,
    readonly parameters: readonly string[],
    /** Begins the command that runs it elsewhere: on a disk of its own. */
    readonly prefix: readonly string[] = [],
  ) {}

  static async nats(directory: string, settings = '', prefix: readonly string[] = []): Promise<Server> {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const path = `${directory}.conf`;
    const store = join(directory, 'jetstream');
    writeFileSync(path, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${store}" }\n${settings}\n`);
    const server = new Server(port, 'nats-server', ['-c', path], prefix);
    await server.start();
    return server;
  }

  static redis(directory: string, ...settings: string[]): Promise<Server> {
    return Server.redisOn(directory, [], ...settings);
  }

  static async redisOn(directory: string, prefix: readonly string[], ...settings: string[]): Promise<Server> {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
    const parameters = [...own, '--appendonly', 'yes', ...settings];
    const server = new Server(port, 'redis-server', parameters, prefix);
    await server.start();
    return server;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  async start(): Promise<void> {
    const [program, ...parameters] = [...this.prefix, this.program, ...this.parameters];
    this.#process = spawn(program!, parameters, { stdio: 'ignore' });
    await until(`${this.program} listens`, () => isListening(this.port));
  }

  /** Not by the child's kill(): Deno's takes a process that was sent any signal for ended, and sends it no other. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  async kill(): Promise<void> {
    const child = this.#process!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
