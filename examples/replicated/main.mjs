// A writer, a NATS server, and two readers as if on other machines, each a process of its own:
//
//   writer: Wal -> forward() -> nats-server -> subscribe() -> reader 1: AtomicLog -> worker
//                                                          -> reader 2: AtomicLog -> worker
//
// Shows how far each reader is behind the log; in the end checks that each has every acknowledged entry, once and in
// order. With --kills, all four are killed again and again meanwhile.
//
//   node examples/replicated/main.mjs [--seconds N] [--rate ENTRIES_PER_SECOND] [--kills]
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WalReader } from 'atomic-log';
import { display } from './display.mjs';
import { decode } from './record.mjs';
import { Service } from './service.mjs';

const READERS = ['reader 1', 'reader 2'];
/** How long readers may take for the rest, in the end. */
const DRAIN_MS = 60_000;
const USAGE = 'usage: node main.mjs [--seconds N] [--rate ENTRIES_PER_SECOND] [--kills]';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const between = (low, high) => low + Math.random() * (high - low);
const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

function optionsOf(args) {
  try {
    const options = { seconds: { type: 'string' }, rate: { type: 'string' }, kills: { type: 'boolean' } };
    const { values } = parseArgs({ args, options });
    const { seconds = 'Infinity', rate = '2000', kills = false } = values;
    if (!(Number(seconds) > 0)) throw new Error(`--seconds must be a positive number; got ${seconds}`);
    if (!(Number(rate) > 0 && Number(rate) <= 1e5))
      throw new Error(`--rate must be 1 to 100000; got ${rate}`);
    return { seconds: Number(seconds), rate: Number(rate), kills };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/** Of those that no system gives to a program that asks for any: it stays free while the server is down. */
async function freePort() {
  for (;;) {
    const port = Math.floor(between(20_000, 30_000));
    const server = createServer().listen(port, '127.0.0.1');
    const [isFree] = await Promise.race([
      once(server, 'listening').then(() => [true]),
      once(server, 'error').catch(() => [false]),
    ]);
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

function serverSettings(directory, port) {
  const path = join(directory, 'nats.conf');
  const store = join(directory, 'stream');
  writeFileSync(path, `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${JSON.stringify(store)} }\n`);
  return path;
}

/** All processes, and what they have said of themselves. */
class Machines {
  acknowledged = 0;
  stopped = withResolvers();
  /** Rejects when one of them ends by itself. */
  failure = withResolvers();
  readers = READERS.map((name) => ({ name, seen: { first: 0, lsn: 0, chain: 0 } }));

  constructor(directory, port, rate) {
    this.logPath = join(directory, 'log');
    const node = process.execPath;
    const onFailure = this.failure.reject;
    const service = (name, command, parameters, onMessage) =>
      new Service(name, command, parameters, { onMessage, onFailure });
    this.server = service('nats-server', 'nats-server', ['-c', serverSettings(directory, port)]);
    const parameters = [fileOf('writer.mjs'), this.logPath, String(port), String(rate)];
    this.writer = service('writer', node, parameters, ({ acknowledged = 0, stopped }) => {
      this.acknowledged = Math.max(this.acknowledged, acknowledged);
      if (stopped !== undefined) this.stopped.resolve(stopped);
    });
    for (const reader of this.readers)
      reader.service = service(reader.name, node, [fileOf('reader.mjs'), String(port)], ({ seen }) => {
        reader.seen = seen;
      });
    this.all = [this.writer, this.server, ...this.readers.map((reader) => reader.service)];
  }
}

function withResolvers() {
  let [resolve, reject] = [];
  const promise = new Promise((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}

function viewer(machines, log) {
  const begun = performance.now();
  return () => {
    log.refresh();
    const rows = machines.all.map((service) => {
      const { name, isUp, kills } = service;
      if (service === machines.writer) return { name, isUp, kills, entries: log.lastLsn };
      const reader = machines.readers.find((each) => each.service === service);
      if (reader === undefined) return { name, isUp, kills };
      const { lsn } = reader.seen;
      // How long the oldest entry that it lacks has been there.
      const missing = lsn < log.lastLsn ? log.get(Math.max(lsn + 1, log.firstLsn)) : undefined;
      const lagMs = missing === undefined ? 0 : Math.max(Date.now() - decode(missing.data).time, 0);
      return { name, isUp, kills, entries: lsn, lag: Math.max(log.lastLsn - lsn, 0), lagMs };
    });
    return { seconds: (performance.now() - begun) / 1000, rows };
  };
}

async function killAtRandom({ all, readers }, signal) {
  while (!signal.aborted) {
    await pause(between(200, 1000));
    if (signal.aborted) return;
    const service = all[Math.floor(Math.random() * all.length)];
    await service.kill();
    await pause(between(0, 200));
    const reader = readers.find((each) => each.service === service);
    // Its memory is gone.
    if (reader !== undefined) reader.seen = { first: 0, lsn: 0, chain: 0 };
    service.start();
  }
}

/** What is wrong in the end, if anything. */
async function check(machines, log) {
  machines.writer.send('stop');
  const lastLsn = await machines.stopped.promise;
  const { readers, acknowledged } = machines;
  const end = performance.now() + DRAIN_MS;
  while (readers.some(({ seen }) => seen.lsn < lastLsn) && performance.now() < end) await pause(20);
  log.refresh();
  const { chain } = decode(log.get(lastLsn).data);
  const faults =
    acknowledged > lastLsn ? [`entry ${acknowledged} was acknowledged, the log ends at ${lastLsn}`] : [];
  for (const { name, seen } of readers)
    if (seen.first !== 1 || seen.lsn !== lastLsn || seen.chain !== chain)
      faults.push(
        `${name} has entries ${seen.first} to ${seen.lsn}, the log ${lastLsn}, or others than the log`,
      );
  return { lastLsn, faults };
}

async function run(machines, { seconds, kills }) {
  const stopping = new AbortController();
  const stop = () => (stopping.signal.aborted ? process.exit(130) : stopping.abort());
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
  for (const service of machines.all) service.start();
  const log = await WalReader.open(machines.logPath, { wait: true });
  const finish = display(viewer(machines, log));
  const time = seconds === Infinity ? undefined : setTimeout(() => stopping.abort(), seconds * 1000);
  try {
    if (kills) await killAtRandom(machines, stopping.signal);
    else if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
    const { lastLsn, faults } = await check(machines, log);
    finish();
    const killed = machines.all.reduce((sum, service) => sum + service.kills, 0);
    if (faults.length === 0)
      console.log(
        `each reader has all ${lastLsn.toLocaleString('en')} entries, once and in order; ${killed} kills`,
      );
    else console.error(faults.join('\n'));
    return faults.length === 0 ? 0 : 1;
  } finally {
    clearTimeout(time);
    log.close();
  }
}

const options = optionsOf(process.argv.slice(2));
if (spawnSync('nats-server', ['--version']).error !== undefined) {
  console.error('this needs nats-server: apt-get install nats-server, or see https://nats.io/download');
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'replicated-'));
const machines = new Machines(directory, await freePort(), options.rate);
process.on('exit', () => {
  for (const service of machines.all) service.endNow();
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
});
let status = 1;
try {
  status = await Promise.race([run(machines, options), machines.failure.promise]);
} catch (error) {
  console.error(error.message);
}
await Promise.all(machines.all.map((service) => service.end()));
process.exit(status);
