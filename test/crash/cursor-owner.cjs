// Owns the cursor `billing` until it is killed, and says on file descriptor 3 what it did:
//   node cursor-owner.cjs <package> writer|consumer|trimmer|idle <log> <seed>
// `writer` appends, commits and checkpoints, all at once. `consumer` follows the log of
// another process, and commits. `trimmer` has no cursor: it appends, checkpoints and retains
// little. `idle` only has the cursor.
'use strict';
const { writeSync } = require('node:fs');
const { Wal, WalCursor, WalReader } = require(process.argv[2]);

const [what, path, seedText] = process.argv.slice(3);
let seed = Number(seedText);
const random = (below) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed % below;
};

const tell = (word, text) => writeSync(3, `${word} ${text}\n`);

/** Says so before and afterwards: one that is under way may be on disk or not. */
async function commit(cursor, position) {
  tell('committing', position);
  if (random(3) === 0) cursor.commitSync(position);
  else await cursor.commit(position);
  tell('committed', position);
}

async function appendForever(wal) {
  for (;;) {
    const count = 1 + random(20);
    await wal.appendBatch(Array.from({ length: count }, () => Buffer.alloc(1 + random(300), 7)));
    for (let i = random(3); i > 0; --i) wal.write(Buffer.from('not synced'));
  }
}

async function checkpointForever(wal) {
  for (;;) {
    await wal.checkpoint(wal.lastLsn);
    tell('first', wal.firstLsn);
  }
}

async function commitForever(wal, cursor) {
  for (;;) {
    // An entry that may not be on disk yet.
    const lsn = Math.min(cursor.nextLsn + random(60), wal.lastLsn);
    if (lsn < cursor.nextLsn) await new Promise(setImmediate);
    else await commit(cursor, wal.get(lsn).position);
  }
}

const owners = {
  async writer() {
    const wal = await Wal.open(path, { segmentBytes: 16384 });
    const cursor = await wal.cursor('billing');
    tell('opened', cursor.nextLsn);
    await Promise.all([appendForever(wal), checkpointForever(wal), commitForever(wal, cursor)]);
  },
  async consumer() {
    const cursor = await WalCursor.open(path, 'billing');
    tell('opened', cursor.nextLsn);
    const reader = WalReader.open(path, { pollMs: 1 });
    let next = cursor.nextLsn;
    for await (const entries of reader.follow({ from: cursor.position ?? next })) {
      for (const { lsn } of entries)
        if (lsn !== next++) throw new Error(`entry ${lsn} came, not ${next - 1}`);
      await commit(cursor, entries[random(entries.length)].position);
      await commit(cursor, entries.at(-1).position);
    }
  },
  async trimmer() {
    const wal = await Wal.open(path, { segmentBytes: 16384, retainBytes: 2 * 16384 });
    tell('opened', wal.lastLsn);
    const append = async () => {
      for (;;) {
        const count = 1 + random(20);
        const { lastLsn } = wal;
        // What it must hold, is known by its LSN.
        const data = Array.from({ length: count }, (_, i) =>
          Buffer.alloc(1 + random(300), `${lastLsn + 1 + i}`),
        );
        for (const each of data.slice(0, random(2))) wal.write(each);
        const rest = data.slice(wal.lastLsn - lastLsn);
        await wal.appendBatch(rest, { expectedLsn: wal.lastLsn + 1 });
      }
    };
    await Promise.all([append(), checkpointForever(wal)]);
  },
  async idle() {
    const cursor = await WalCursor.open(path, 'billing');
    tell('opened', cursor.nextLsn);
    setInterval(() => cursor.lag, 1000);
  },
};

owners[what]().catch((error) => {
  tell('failed', `${error.code} ${error.message}`);
  process.exit(1);
});
