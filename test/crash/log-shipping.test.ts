/** The example that ships a log over a socket, whose both sides are killed again and again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Wal, WalReader, type WalEntry } from 'atomic-log';

import { packageRoot } from '../support/internals';
import { sized } from '../support/sizes';

const KILLS = sized('SHIPPING_KILLS', { small: 6, long: 60 });
const PAST_BYTES = 8;

let directory: string;
let port: string;
const children = new Set<ChildProcess>();

/**
 * Of those that no system gives to who asks for any: a receiver that starts again finds its port
 * free, whatever other tests do.
 */
async function freePort(): Promise<string> {
  for (;;) {
    const candidate = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(candidate, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    return String(candidate);
  }
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'shipping-'));
  port = await freePort();
});

afterEach(async () => {
  await Promise.all([...children].map(kill));
  rmSync(directory, { recursive: true, force: true });
});

/** What it says on stderr is kept. */
function start(side: 'send' | 'receive', path: string): ChildProcess & { said: string } {
  const file = join(packageRoot, 'examples', 'log-shipping', `${side}.mjs`);
  const child = spawn(process.execPath, [file, join(directory, path), port], {
    cwd: packageRoot,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  children.add(child);
  const said = Object.assign(child, { said: '' });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.said += text));
  return said;
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function copied(wal: Wal): Promise<WalReader> {
  const reader = await WalReader.open(join(directory, 'copy'), { wait: true });
  // A copy that is idle says by and by what is durable.
  while (reader.lastLsn < wal.lastLsn) {
    await pause(5);
    reader.refresh();
  }
  return reader;
}

function expectSame(copy: WalReader, log: Iterable<WalEntry>): void {
  for (const { lsn, data, position } of log) {
    const found = copy.get(lsn)!.data;
    const [, epoch, branch] = position.split(':');
    expect(found.readUInt32LE(0)).toBe(Number(epoch));
    expect(found.readUInt32LE(4)).toBe(parseInt(branch!, 16));
    if (!found.subarray(PAST_BYTES).equals(data)) throw new Error(`entry ${lsn} is another`);
  }
}

test('the copy has every entry once, whoever is killed, while the log is checkpointed', async () => {
  let wal = await Wal.open(join(directory, 'log'), { segmentBytes: 1 << 16 });
  const appended: WalEntry[] = [];
  const append = async (): Promise<void> => {
    const count = 1 + Math.floor(Math.random() * 20);
    const data = Array.from({ length: count }, (_, i) => Buffer.alloc(10 + i * 20, `${wal.lastLsn} ${i} `));
    const { first } = await wal.appendBatch(data);
    data.forEach((bytes, i) =>
      appended.push({ lsn: first + i, data: bytes, position: wal.get(first + i)!.position }),
    );
  };
  await append();
  // From now on, and not from when the sender is there first.
  await (await wal.cursor('shipping')).close();
  let [sender, receiver] = [start('send', 'log'), start('receive', 'copy')];
  for (let round = 0; round < KILLS; ++round) {
    const end = Date.now() + 150 + Math.random() * 250;
    while (Date.now() < end) {
      await append();
      await wal.checkpoint(wal.lastLsn);
    }
    if (round % 3 === 2) {
      // The next entries have another past.
      await wal.close();
      wal = await Wal.open(wal.path, { segmentBytes: 1 << 16 });
    }
    if (round % 2 === 0) {
      await kill(sender);
      sender = start('send', 'log');
    } else {
      await kill(receiver);
      receiver = start('receive', 'copy');
    }
  }
  using copy = await copied(wal);
  expect(copy.firstLsn).toBe(1);
  expect(copy.lastLsn).toBe(appended.length);
  expectSame(copy, appended);
  // The cursor has let go of what is there.
  while (wal.firstLsn < wal.lastLsn) {
    await pause(5);
    await wal.checkpoint(wal.lastLsn);
  }
  await wal.close();
});

test('a log that begins later; one that was truncated ends it with a reason, and overwrites nothing', async () => {
  const wal = await Wal.open(join(directory, 'log'), { firstLsn: 1000 });
  await wal.appendBatch(['a', 'b', 'c'].map((text) => Buffer.from(text)));
  const sender = start('send', 'log');
  start('receive', 'copy');
  using copy = await copied(wal);
  expect(copy.firstLsn).toBe(1000);
  expectSame(copy, wal.entries());
  await wal.truncateAfter(1001);
  await wal.append(Buffer.from('c'));
  if (sender.exitCode === null) await once(sender, 'exit');
  expect(sender.said).toMatch(/ERR_TARGET_(DIFFERS|AHEAD)/);
  copy.refresh();
  expect(copy.lastLsn).toBe(1002);
  await wal.close();
});

test('a copy that was lost is not begun in the middle', async () => {
  const wal = await Wal.open(join(directory, 'log'), { segmentBytes: 1 << 16 });
  for (let i = 0; i < 3; ++i) await wal.append(Buffer.from(`entry ${i}`));
  let [sender, receiver] = [start('send', 'log'), start('receive', 'copy')];
  (await copied(wal)).close();
  while (wal.firstLsn < 3) {
    await pause(5);
    await wal.checkpoint(3);
  }
  await Promise.all([kill(sender), kill(receiver)]);
  rmSync(join(directory, 'copy'), { recursive: true });
  receiver = start('receive', 'copy');
  sender = start('send', 'log');
  await once(sender, 'exit');
  expect(sender.said).toContain('ERR_TARGET_BEHIND');
  await wal.close();
});

test('a copy of another log is not written to', async () => {
  const [log, other] = [await Wal.open(join(directory, 'log')), await Wal.open(join(directory, 'other'))];
  await log.append(Buffer.from('a'));
  await other.append(Buffer.from('b'));
  start('send', 'log');
  start('receive', 'copy');
  (await copied(log)).close();
  const sender = start('send', 'other');
  await once(sender, 'exit');
  expect(sender.said).toContain(`it is a copy of log ${log.logId}`);
  await Promise.all([log.close(), other.close()]);
});
