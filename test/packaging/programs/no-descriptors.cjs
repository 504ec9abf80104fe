// Makes a log in memory where the process may open no file any more.
const { openSync } = require('node:fs');
const { AtomicLog } = require('atomic-log');

const taken = [];
try {
  for (;;) taken.push(openSync('/dev/null'));
} catch ({ code }) {
  console.error(code);
}
const { writer, log } = AtomicLog.claimed({ retainedCapacity: 20, segmentCapacity: 5 });
writer.append(7);
process.stdout.write(JSON.stringify([taken.length > 0, log.latest()]));
