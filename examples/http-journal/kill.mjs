// Kills the journal under load, again and again, and looks for what it had acknowledged.
//
//   node examples/http-journal/kill.mjs DIRECTORY [KILLS] [MILLISECONDS between them]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { Wal } from 'atomic-log';

const [directory, kills = '3', pauseMs = '1000'] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: node kill.mjs DIRECTORY [KILLS] [MILLISECONDS]');
  process.exit(2);
}
const CONNECTIONS = 20;
const server = fileURLToPath(new URL('server.mjs', import.meta.url));

/** LSN of each acknowledged event, by its number. */
const acknowledged = new Map();
let sent = 0;

async function start() {
  const child = spawn(process.execPath, [server, directory, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, port: JSON.parse(line).port };
}

/** Every connection has one event under way: the answer that comes is that of the event that it sent last. */
function load(port) {
  const setupClient = (client) => {
    let number;
    const next = () => {
      number = ++sent;
      client.setBody(JSON.stringify({ number }));
    };
    next();
    client.on('body', (body) => {
      try {
        const { lsn } = JSON.parse(body);
        if (lsn !== undefined) acknowledged.set(number, lsn);
      } catch {
        // An answer that the kill cut off acknowledges nothing.
      }
      next();
    });
  };
  return autocannon({
    url: `http://127.0.0.1:${port}/events`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    connections: CONNECTIONS,
    duration: 3600,
    setupClient,
  });
}

for (let kill = 0; kill < Number(kills); ++kill) {
  const { child, port } = await start();
  const before = acknowledged.size;
  const running = load(port);
  // Not before something was acknowledged, on a slow machine too.
  while (acknowledged.size < before + CONNECTIONS) await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
  child.kill('SIGKILL');
  await once(child, 'exit');
  running.stop();
  await running;
}

const wal = await Wal.open(directory);
const found = new Map();
for (const { lsn, data } of wal.entries()) found.set(lsn, JSON.parse(data.toString()).number);
await wal.close();
const missing = [...acknowledged].filter(([number, lsn]) => found.get(lsn) !== number);
console.log(
  JSON.stringify({
    kills: Number(kills),
    sent,
    acknowledged: acknowledged.size,
    stored: found.size,
    missing: missing.length,
  }),
);
process.exitCode = missing.length === 0 ? 0 : 1;
