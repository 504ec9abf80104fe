// Appends in every way until it is killed, and says on file descriptor 3 what
// was acknowledged: node wal-writer.cjs <package> <log> <seed> [what]
// `kill`: what survives a kill. `power`: what survives the loss of power. `system`:
// what the system has, and the disk perhaps not.
const { writeSync } = require('node:fs');
const { Wal } = require(process.argv[2]);

let seed = Number(process.argv[4]);
const what = process.argv[5] ?? 'kill';
const random = (below) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed % below;
};

/** Tells what entry `lsn` must be from its LSN alone. */
function entry(lsn) {
  const bytes = Buffer.alloc(8 + ((lsn * 37) % 400), lsn % 251);
  bytes.writeDoubleLE(lsn);
  return bytes;
}

const tell = (word, lsn) => writeSync(3, `${word} ${lsn}\n`);

async function main() {
  const wal = await Wal.open(process.argv[3], {
    // What is written to a file is synced when the next one is begun.
    segmentBytes: what === 'system' ? 1 << 22 : 16384,
    commit: { waitUs: random(3) * 200 },
    durability: what === 'system' ? 'os' : 'full',
  });
  tell('opened', wal.lastLsn);
  for (;;) {
    // Every LSN is known beforehand: nobody else appends.
    const next = wal.lastLsn + 1;
    switch (what === 'system' ? 6 : random(7)) {
      case 0:
        tell('acked', wal.appendSync(entry(next)));
        break;
      case 1: {
        const count = 1 + random(20);
        const { last } = await wal.appendBatch(Array.from({ length: count }, (_, i) => entry(next + i)));
        tell('acked', last);
        break;
      }
      case 2:
        for (let i = 0; i < 10; ++i) wal.write(entry(next + i));
        tell('acked', await wal.sync());
        break;
      case 3:
        // The system has it: a killed process loses nothing of it.
        tell('acked', await wal.append(entry(next), { durability: what === 'kill' ? 'os' : 'full' }));
        break;
      case 4:
        if (wal.lastLsn > 400) wal.checkpointSync(wal.lastLsn - 300);
        tell('first', wal.firstLsn);
        break;
      default: {
        const count = 1 + random(60);
        const all = Array.from({ length: count }, (_, i) =>
          wal.append(entry(next + i)).then((lsn) => tell('acked', lsn)),
        );
        await Promise.all(all);
      }
    }
  }
}

void main();
