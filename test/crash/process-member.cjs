// A process of the kill test: reads, or writes, until it is killed. What is wrong, it says on
// the fourth descriptor; a writer says there which entries it has published.
const { writeSync } = require('node:fs');

const [, , packageRoot, path, role] = process.argv;
const { AtomicLog } = require(packageRoot);

const log = AtomicLog.openSync(path, role === 'peek' ? { readOnly: true } : { create: false });
const tell = (...words) => writeSync(3, `${words.join(' ')}\n`);
/** Two columns that follow from the index. */
const entryOf = (index) => ({ n: index, x: index / 7, text: `entry ${index} `.repeat(index % 4) });
const isRight = (entry, index) => {
  const right = entryOf(index);
  return entry.n === right.n && entry.x === right.x && entry.text === right.text;
};

async function write() {
  const writer = await log.waitForWriter();
  tell('opened', writer.nextIndex);
  for (let i = 0; ; ++i) {
    try {
      for (let k = 0; k < 20; ++k) writer.append(entryOf(writer.nextIndex));
    } catch (error) {
      if (error.code !== 'ERR_PINNED_BYTES') throw error;
    }
    tell('published', writer.nextIndex);
    // So that the event loop turns.
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function check(first, entries) {
  let index = first;
  for (const entry of entries) {
    if (!isRight(entry, index)) tell('wrong', index);
    ++index;
  }
  return index;
}

async function read() {
  tell('opened', log.endIndex);
  const snapshot = log.snapshot();
  let end = snapshot.endIndex;
  for (;;) {
    snapshot.refresh();
    if (snapshot.endIndex < end) tell('wrong', end);
    end = check(snapshot.firstIndex, snapshot);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function follow() {
  tell('opened', log.endIndex);
  let next = -1;
  for await (const batch of log.follow()) {
    if (next !== -1 && batch.firstIndex !== next + batch.lost) tell('wrong', next);
    next = check(batch.firstIndex, batch);
  }
}

void { write, read, follow, peek: read }[role]();
