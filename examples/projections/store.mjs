// An event store: commands come in on standard input, an object in each line, and become events in a
// write-ahead log. An answer says that the event is on disk. Projections are processes of their own.
//
//   echo '{"account":"ada","amount":5}' | node examples/projections/store.mjs DIRECTORY
import { createInterface } from 'node:readline';
import { Wal } from 'atomic-log';

const [directory = 'events'] = process.argv.slice(2);
const wal = await Wal.open(directory);
/** Write model: what is checked before an event is accepted. It is made from the events, too. */
const balances = new Map();
const apply = ({ account, amount }) => balances.set(account, (balances.get(account) ?? 0) + amount);
for (const { data } of wal.entries()) apply(JSON.parse(data.toString()));

for await (const line of createInterface({ input: process.stdin })) {
  const { account, amount } = JSON.parse(line);
  if ((balances.get(account) ?? 0) + amount < 0) {
    console.log(JSON.stringify({ refused: `${account} has too little` }));
    continue;
  }
  const event = { account, amount };
  apply(event);
  // Not awaited: commands that come together share a sync. One that fails ends the process.
  wal.append(Buffer.from(JSON.stringify(event))).then((lsn) => console.log(JSON.stringify({ lsn })));
}
await wal.close(); // when all of it is answered
