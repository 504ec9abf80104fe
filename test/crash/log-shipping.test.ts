/** The example that ships a log over a socket, whose both sides are killed again and again. */
import { rmSync } from 'node:fs';

import { Wal, type WalEntry } from 'atomic-log';

import { expectSame, pause, Shipping } from '../support/shipping';
import { sized } from '../support/sizes';

const KILLS = sized('SHIPPING_KILLS', { small: 6, long: 60 });

let shipping: Shipping;
beforeEach(async () => (shipping = await Shipping.begin()));
afterEach(() => shipping.end());

test('the copy has every entry once, whoever is killed, while the log is checkpointed', async () => {
  let wal = await Wal.open(shipping.path('log'), { segmentBytes: 1 << 16 });
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
  let [sender, receiver] = [shipping.start('send', 'log'), shipping.start('receive', 'copy')];
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
      await shipping.kill(sender);
      sender = shipping.start('send', 'log');
    } else {
      await shipping.kill(receiver);
      receiver = shipping.start('receive', 'copy');
    }
  }
  using copy = await shipping.copied(wal);
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
  const wal = await Wal.open(shipping.path('log'), { firstLsn: 1000 });
  await wal.appendBatch(['a', 'b', 'c'].map((text) => Buffer.from(text)));
  const sender = shipping.start('send', 'log');
  shipping.start('receive', 'copy');
  using copy = await shipping.copied(wal);
  expect(copy.firstLsn).toBe(1000);
  expectSame(copy, wal.entries());
  await wal.truncateAfter(1001);
  await wal.append(Buffer.from('c'));
  await sender.ended;
  expect(sender.said).toMatch(/ERR_TARGET_(DIFFERS|AHEAD)/);
  copy.refresh();
  expect(copy.lastLsn).toBe(1002);
  await wal.close();
});

test('a copy that was lost is not begun in the middle', async () => {
  const wal = await Wal.open(shipping.path('log'), { segmentBytes: 1 << 16 });
  for (let i = 0; i < 3; ++i) await wal.append(Buffer.from(`entry ${i}`));
  let [sender, receiver] = [shipping.start('send', 'log'), shipping.start('receive', 'copy')];
  (await shipping.copied(wal)).close();
  while (wal.firstLsn < 3) {
    await pause(5);
    await wal.checkpoint(3);
  }
  await Promise.all([shipping.kill(sender), shipping.kill(receiver)]);
  rmSync(shipping.path('copy'), { recursive: true });
  receiver = shipping.start('receive', 'copy');
  sender = shipping.start('send', 'log');
  await sender.ended;
  expect(sender.said).toContain('ERR_TARGET_BEHIND');
  await wal.close();
});

test('a copy of another log is not written to', async () => {
  const [log, other] = [await Wal.open(shipping.path('log')), await Wal.open(shipping.path('other'))];
  await log.append(Buffer.from('a'));
  await other.append(Buffer.from('b'));
  shipping.start('send', 'log');
  shipping.start('receive', 'copy');
  (await shipping.copied(log)).close();
  const sender = shipping.start('send', 'other');
  await sender.ended;
  expect(sender.said).toContain(`it is a copy of log ${log.logId}`);
  await Promise.all([log.close(), other.close()]);
});
