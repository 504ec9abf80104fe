// Appends to a journaled log in every way until it is killed, and says on file descriptor 3 what is on disk:
// node journal-writer.cjs <package> <log> <seed>
const { writeSync } = require('node:fs');
const { AtomicLog } = require(process.argv[2]);

let seed = Number(process.argv[4]);
const random = (below) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor(seed / 65536) % below;
};
const tell = (word, index) => writeSync(3, `${word} ${index}\n`);
/** Tells what entry `index` must be from its index alone. */
const entryOf = (index) => ({ n: index, x: index / 7, name: `entry ${index} `.repeat(index % 5) });

/** Follows from an old entry while entries come, and ends the process when one is missing or wrong. */
async function follow(log) {
  const from = Math.max(log.oldestIndex, log.endIndex - 2000);
  let next = from;
  for await (const batch of log.follow({ from })) {
    if (batch.lost > 0 && log.oldestIndex <= next) tell('wrong', next);
    next = batch.firstIndex;
    for (const { n, x, name } of batch) {
      const expected = entryOf(next++);
      if (n !== expected.n || x !== expected.x || name !== expected.name) tell('wrong', next - 1);
    }
    if (next > from + 4000) return;
  }
}

async function main() {
  const log = await AtomicLog.open({
    wal: {
      path: process.argv[3],
      segmentBytes: 1 << (14 + random(3)),
      durability: ['full', 'os', 'none'][random(3)],
      bytesInFlightMax: 1 << (10 + random(10)),
    },
    schema: { n: 'u32', x: 'f64', name: 'utf8' },
    retainedCapacity: 300,
    segmentCapacity: 1 + random(70),
    dataBytes: 8192,
  });
  tell('opened', log.endIndex);
  for (let round = 0; ; ++round) {
    const next = log.nextIndex;
    switch (random(7)) {
      case 0:
        for (let i = 0; i < 1 + random(100); ++i) log.append(entryOf(log.nextIndex));
        break;
      case 1:
        log.appendBatch(Array.from({ length: random(200) }, (_, i) => entryOf(next + i)));
        break;
      case 2:
        for (let i = 0; i < 30; ++i) log.write(entryOf(log.nextIndex));
        if (random(2) === 0) log.publish();
        break;
      case 3: {
        const end = log.endIndex;
        if (end > 0) log.durable(end - 1).then(() => tell('durable', end));
        break;
      }
      case 4:
        tell('durable', await log.sync());
        break;
      case 5:
        if (random(5) === 0) await log.checkpoint(Math.max(0, log.endIndex - 3000));
        break;
      default:
        if (round % 8 === 0) follow(log);
        tell('durable', log.durableIndex);
        await new Promise((resolve) => setTimeout(resolve, random(3)));
    }
  }
}

main();
