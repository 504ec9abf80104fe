/** The example that ships a log over a socket, among damaged connections, strangers, and more senders than one. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { Wal, WalReader } from 'atomic-log';

import { BadNetwork } from '../support/bad-network';
import { during, expectSame, isRunning, Shipping } from '../support/shipping';
import { sized } from '../support/sizes';

const FAULTS = sized('SHIPPING_FAULTS', { small: 14, long: 1000 });
/** What does not answer is given up soon. */
const QUICK = { ANSWER_MS: '400' };

let shipping: Shipping;
beforeEach(async () => (shipping = await Shipping.begin()));
afterEach(() => shipping.end());

/** As the example makes them. */
function frameOf(object: unknown, bytes: Buffer = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(typeof object === 'string' ? object : JSON.stringify(object));
  const frame = Buffer.concat([Buffer.alloc(16), text, bytes]);
  const checksum = (part: Buffer): number => createHash('sha256').update(part).digest().readUInt32LE(0);
  frame.writeUInt32LE(text.length, 0);
  frame.writeUInt32LE(bytes.length, 4);
  frame.writeUInt32LE(checksum(frame.subarray(0, 8)), 8);
  frame.writeUInt32LE(checksum(frame.subarray(16)), 12);
  return frame;
}

const words = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

async function appendSome(wal: Wal, batches: number): Promise<void> {
  for (let i = 0; i < batches; ++i) {
    const count = 1 + Math.floor(Math.random() * 20);
    await wal.appendBatch(
      Array.from({ length: count }, (_, k) => Buffer.alloc(1 + k * 50, `${wal.lastLsn} ${k} `)),
    );
  }
}

async function expectCopyOf(wal: Wal): Promise<void> {
  using copy = await shipping.copied(wal);
  expect([copy.firstLsn, copy.lastLsn]).toEqual([wal.firstLsn, wal.lastLsn]);
  expectSame(copy, wal.entries());
}

test('connections that damage, repeat, lose and cut what they carry: every entry once, byte for byte', async () => {
  await using wal = await Wal.open(shipping.path('log'));
  const network = shipping.with(await BadNetwork.to(shipping.port));
  const receiver = shipping.start('receive', 'copy');
  const sender = shipping.start('send', 'log', network.port, QUICK);
  while (network.faults < FAULTS) {
    await appendSome(wal, 20);
    expect([sender, receiver].map(isRunning)).toEqual([true, true]);
  }
  network.isBad = false;
  await expectCopyOf(wal);
  expect(Math.min(...Object.values(network.counts))).toBeGreaterThan(0);
});

test('what is not from a sender changes nothing, and ends nothing', async () => {
  await using wal = await Wal.open(shipping.path('log'));
  const receiver = shipping.start('receive', 'copy');
  const sender = shipping.start('send', 'log');
  await appendSome(wal, 10);
  await expectCopyOf(wal);
  await shipping.kill(sender);
  const logId = wal.logId;
  const next = wal.lastLsn + 1;
  const hello = frameOf({ logId });
  const entries = (object: unknown, bytes?: Buffer): Buffer => Buffer.concat([hello, frameOf(object, bytes)]);
  const longHead = Buffer.from(frameOf({}));
  const strangers: Buffer[] = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(100_000, 7),
    Buffer.from(Array.from({ length: 5000 }, () => Math.random() * 256)),
    longHead.subarray(0, 9),
    frameOf('no object'),
    frameOf('null'),
    frameOf('[]'),
    frameOf(`${' '.repeat(5000)}{}`),
    frameOf({ logId: 7 }),
    frameOf({ logId: logId.toUpperCase() }),
    frameOf({ logId: [logId] }),
    frameOf({ logId: '0'.repeat(32) }),
    // Bytes, before it has said which log it sends.
    frameOf({ logId }, Buffer.alloc(1 << 20)),
    frameOf({ first: next, count: 1 }, words(9, 0, 0)),
    entries({}),
    entries({ first: next, count: 1 }),
    entries({ first: next, count: 0 }),
    entries({ first: next, count: -1 }, words(8, 0, 0)),
    entries({ first: next, count: 1e9 }, words(8, 0, 0)),
    entries({ first: next, count: '1' }, words(8, 0, 0)),
    entries({ first: next, count: 1 }, words(9, 0, 0)),
    entries({ first: next, count: 1 }, words(4, 0)),
    entries({ first: next, count: 2 }, words(0xffffffff, 9, 0, 0)),
    entries({ first: `${next}`, count: 1 }, words(8, 0, 0)),
    entries({ first: next + 0.5, count: 1 }, words(8, 0, 0)),
    entries({ first: 2 ** 60, count: 1 }, words(8, 0, 0)),
    entries({ first: next + 1, count: 1 }, words(8, 0, 0)),
    entries({ first: 1, count: 1 }, words(8, 0, 0)),
    Buffer.concat([hello, hello]),
  ];
  for (const bytes of strangers) {
    const socket = connect(shipping.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.end(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(isRunning(receiver)).toBe(true);
  }
  // And some that say nothing.
  const silent = Array.from({ length: 20 }, () => connect(shipping.port, '127.0.0.1'));
  for (const socket of silent) socket.on('error', () => undefined);
  shipping.start('send', 'log');
  await appendSome(wal, 10);
  await expectCopyOf(wal);
  for (const socket of silent) socket.destroy();
});

test('more senders than one, from the first connection on, and one whose log went on apart', async () => {
  const log = await Wal.open(shipping.path('log'));
  await appendSome(log, 30);
  await log.close();
  for (const name of ['second', 'apart']) cpSync(log.path, shipping.path(name), { recursive: true });
  const logs = await Promise.all(['log', 'apart'].map((name) => Wal.open(shipping.path(name))));
  await Promise.all(logs.map((each) => appendSome(each, 30)));
  const [one, other] = ['log', 'apart', 'second'].map((name) =>
    shipping.start('send', name, shipping.port, QUICK),
  );
  shipping.start('receive', 'copy');
  // Of two logs that went on apart one is refused: which one, is a matter of who is first.
  await Promise.race([one!.ended, other!.ended]);
  const isFirst = isRunning(one!);
  const refused = isFirst ? other! : one!;
  await refused.ended;
  expect(refused.said).toMatch(/ERR_TARGET_(DIFFERS|AHEAD)/);
  const winner = logs[isFirst ? 0 : 1]!;
  await appendSome(winner, 30);
  await expectCopyOf(winner);
  await Promise.all(logs.map((each) => each.close()));
});

/** What pretends to be a receiver: `serve` has each connection. Its port. */
async function pretend(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket.on('error', () => undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  shipping.with({
    end: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return (server.address() as AddressInfo).port;
}

test('answers that make no sense are tried again, or end the sender with a code', async () => {
  await using wal = await Wal.open(shipping.path('log'));
  await appendSome(wal, 10);
  const answers: Buffer[] = [
    Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    Buffer.alloc(100_000, 255),
    Buffer.from(Array.from({ length: 5000 }, () => Math.random() * 256)),
    frameOf('{'),
    frameOf({}),
    frameOf([]),
    frameOf({ lsn: -1 }),
    frameOf({ lsn: 1 }),
    frameOf({ lsn: 0, check: 7 }),
    frameOf({ lsn: 0, check: 'x'.repeat(1000) }),
    frameOf({ failed: { a: 1 } }),
    frameOf({ lsn: 0 }, Buffer.alloc(1 << 20)),
    Buffer.concat([frameOf({ lsn: 0 }), frameOf({ lsn: 0 })]),
    Buffer.concat([frameOf({ lsn: 0 }), frameOf({ lsn: 2 ** 50 })]),
    Buffer.alloc(0),
  ];
  let asked = 0;
  const receiver = await pretend((socket) =>
    socket.once('data', () => socket.end(answers[asked++ % answers.length]!)),
  );
  const sender = shipping.start('send', 'log', receiver, { ANSWER_MS: '100' });
  await during([sender], () => asked >= answers.length);
  for (const [answer, code] of [
    [{ lsn: 10_000, check: `10000:1:00000000:${wal.logId}` }, 'ERR_TARGET_AHEAD'],
    [{ lsn: 1, check: `1:1:00000000:${wal.logId}` }, 'ERR_TARGET_DIFFERS'],
    [{ refused: 'no room for it' }, 'ERR_TARGET_REFUSED: no room for it'],
  ] as const) {
    await shipping.kill(sender);
    const other = await pretend((socket) => socket.once('data', () => socket.write(frameOf(answer))));
    const refused = shipping.start('send', 'log', other);
    await refused.ended;
    expect(refused.said).toContain(code);
  }
});

test('a copy that takes entries and never answers has eight groups at most; then the sender asks again', async () => {
  await using wal = await Wal.open(shipping.path('log'));
  for (let i = 0; i < 40; ++i) await wal.append(Buffer.alloc(300_000, i));
  const received: number[] = [];
  const receiver = await pretend((socket) => {
    const at = received.push(0) - 1;
    socket.on('data', (bytes) => (received[at]! += bytes.length));
    socket.once('data', () => socket.write(frameOf({ lsn: 0 })));
  });
  const sender = shipping.start('send', 'log', receiver, QUICK);
  await during([sender], () => received.length > 2);
  // Larger entries go one by one.
  for (const bytes of received.slice(0, 2)) expect(bytes).toBeLessThan(8 * 301_000);
});

test('an entry that does not fit after its position ends the sender with a reason', async () => {
  await using wal = await Wal.open(shipping.path('log'));
  await wal.append(Buffer.from('fits'));
  await wal.append(Buffer.alloc((1 << 24) - 7));
  const sender = shipping.start('send', 'log');
  const receiver = shipping.start('receive', 'copy');
  await sender.ended;
  expect(sender.said).toMatch(/ERR_TARGET_REFUSED: .*16777217 bytes/);
  // What is not proved is shown where no writer has the log open.
  await shipping.kill(receiver);
  using copy = WalReader.open(shipping.path('copy'), { tail: 'intact' });
  expect(copy.lastLsn).toBe(1);
});
