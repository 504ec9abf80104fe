// Appends and reads in one thread.
const { AtomicLog } = require('atomic-log');

const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10 });
for (let i = 0; i < 100; ++i) writer.append(i);
const sum = [...log.snapshot()].reduce((a, b) => a + b);
console.log(JSON.stringify({ sum, addonPath: log.handle.addonPath }));
