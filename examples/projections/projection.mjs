// A projection in a process of its own: follows the event store, and keeps a view of it in a file. Each
// event counts once, whenever this is killed: the view and the position in the log that it stands for are
// one file, which is replaced in one step. The cursor only keeps the store from dropping what is not read yet.
//
//   node examples/projections/projection.mjs DIRECTORY VIEW [LSN to end at]
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WalCursor, WalReader } from 'atomic-log';

const [directory = 'events', file = 'balances.json', last = 'Infinity'] = process.argv.slice(2);

async function load() {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { balances: {}, events: 0 };
  }
}

async function sync(path) {
  const handle = await open(path);
  await handle.sync();
  await handle.close();
}

/** On disk before it has its name, so that the name always stands for a whole view; the name is, before the cursor moves. */
async function save(view) {
  await writeFile(`${file}.new`, JSON.stringify(view), { flush: true });
  await rename(`${file}.new`, file);
  if (process.platform !== 'win32') await sync(dirname(file));
}

const view = await load();
const waiting = setTimeout(() => console.error(`waits for a log: there is none in ${directory} yet`), 1000);
const reader = await WalReader.open(directory, { wait: true });
clearTimeout(waiting);
const cursor = await WalCursor.open(directory, 'balances');
if (view.lsn === undefined || view.lsn < Number(last)) {
  for await (const entries of reader.follow({ from: view.position ?? 1 })) {
    for (const { data } of entries) {
      const { account, amount } = JSON.parse(data.toString());
      view.balances[account] = (view.balances[account] ?? 0) + amount;
      ++view.events;
    }
    const { lsn, position } = entries.at(-1);
    await save(Object.assign(view, { lsn, position }));
    await cursor.commit(position);
    if (lsn >= Number(last)) break;
  }
}
await cursor.close();
reader.close();
console.log(JSON.stringify(view));
