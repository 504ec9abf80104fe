// A follower for readonly.mjs to which no entry comes: sends the processor time that its process takes,
// in nanoseconds per second.
import { AtomicLog } from '../../dist/index.mjs';

const [, , path, how, milliseconds] = process.argv;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const log = AtomicLog.openSync(path, how === 'readOnly' ? { readOnly: true } : { create: false });
void log.follow({ from: 'latest' }).next();
// Longer than it takes to look less often.
await pause(500);
const before = process.cpuUsage();
const start = performance.now();
await pause(Number(milliseconds));
const { user, system } = process.cpuUsage(before);
process.send(((user + system) * 1000) / ((performance.now() - start) / 1000), () => process.exit());
