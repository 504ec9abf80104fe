/** A network between two programs that damages what it carries, as no real one does so often. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to a connection after some bytes. */
const faults = {
  /** Both sides lose it. */
  cut: (_bytes: Buffer, to: Socket) => void to.destroy(),
  /** One side sees an orderly end in the middle. */
  truncate: (bytes: Buffer, to: Socket) => void to.end(bytes.subarray(0, bytes.length >> 1)),
  flip: (bytes: Buffer, to: Socket) => {
    const damaged = Buffer.from(bytes);
    const at = Math.floor(Math.random() * damaged.length);
    damaged[at]! ^= 1 << Math.floor(Math.random() * 8);
    to.write(damaged);
  },
  garbage: (bytes: Buffer, to: Socket) => void to.write(Buffer.from(bytes.map(() => Math.random() * 256))),
  twice: (bytes: Buffer, to: Socket) => void to.write(Buffer.concat([bytes, bytes])),
  /** Some bytes in the middle never arrive. */
  hole: (bytes: Buffer, to: Socket) => void to.write(bytes.subarray(bytes.length >> 1)),
  /** The rest of the connection is not delivered, and nothing says so. */
  silence: () => undefined,
} satisfies Record<string, (bytes: Buffer, to: Socket) => void>;

type Fault = keyof typeof faults;
/** Until the next one, at most. */
const BYTES = 40_000;
const names = Object.keys(faults) as Fault[];

/** How often each has happened. */
export type FaultCounts = Record<Fault, number>;

export class BadNetwork {
  /** Otherwise it carries everything as it is. */
  isBad = true;
  readonly counts = Object.fromEntries(names.map((name) => [name, 0])) as FaultCounts;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #next = 0;

  private constructor(to: number) {
    this.#server = createServer((near) => {
      const far = connect(to, '127.0.0.1');
      this.#carry(near, far);
      this.#carry(far, near);
    });
  }

  /** Leads to that port. */
  static async to(port: number): Promise<BadNetwork> {
    const network = new BadNetwork(port);
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Of all kinds. */
  get faults(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  end(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let left = Math.random() * (Math.random() < 0.3 ? 100 : BYTES);
    let isSilent = false;
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on('data', (bytes: Buffer) => {
      left -= bytes.length;
      if (isSilent || to.destroyed) return;
      if (!this.isBad || left > 0) return void to.write(bytes);
      // Each in its turn, so that a few connections have had all.
      const name = names[this.#next++ % names.length]!;
      this.counts[name] += 1;
      isSilent = name === 'silence';
      left = Math.random() * BYTES;
      faults[name](bytes, to);
    });
  }
}
