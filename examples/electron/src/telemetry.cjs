// The log of this example, and who fills it.
const { AtomicLog } = require('atomic-log');

const options = {
  retainedCapacity: 20_000,
  segmentCapacity: 1000,
  schema: { time: 'f64', load: 'f64', heap: 'f64' },
};

const makeLog = () => AtomicLog.claimed(options);

/** Appends a few entries every 10 ms; returns what stops it. */
function startTelemetry(writer) {
  const timer = setInterval(() => {
    for (let i = 0; i < 10; ++i) {
      writer.write({ time: Date.now(), load: Math.random(), heap: process.memoryUsage.rss() });
    }
    writer.publish();
  }, 10);
  return () => clearInterval(timer);
}

module.exports = { makeLog, startTelemetry };
