// The agent: follows the log of requests, and answers in the format of Prometheus from what it has counted.
import { createServer } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { ROUTES, schema } from './schema.mjs';

const { handle, port } = workerData;
const log = AtomicLog.attach(handle, { schema, name: 'metrics agent' });

const BUCKETS_MS = [1, 5, 25, 100, 500, 2500, Infinity];
/** By route and status. */
const series = new Map();
let lost = 0;

function seriesOf(route, status) {
  const key = 1000 * route + status;
  let found = series.get(key);
  if (found === undefined) {
    const labels = `route="${ROUTES[route]}",status="${status}"`;
    series.set(key, (found = { labels, buckets: BUCKETS_MS.map(() => 0), sumMs: 0 }));
  }
  return found;
}

async function count() {
  for await (const batch of log.follow()) {
    lost += batch.lost;
    for (const chunk of batch.chunks()) {
      const [routes, statuses, durations] = ['route', 'status', 'durationMs'].map((name) =>
        chunk.column(name),
      );
      for (let i = 0; i < chunk.length; ++i) {
        const one = seriesOf(routes[i], statuses[i]);
        ++one.buckets[BUCKETS_MS.findIndex((limit) => durations[i] <= limit)];
        one.sumMs += durations[i];
      }
    }
  }
}

function describe() {
  const lines = [
    '# HELP request_duration_ms Time from request to answer.',
    '# TYPE request_duration_ms histogram',
  ];
  for (const { labels, buckets, sumMs } of series.values()) {
    let total = 0;
    for (const [i, limit] of BUCKETS_MS.entries()) {
      total += buckets[i];
      const le = limit === Infinity ? '+Inf' : limit;
      lines.push(`request_duration_ms_bucket{${labels},le="${le}"} ${total}`);
    }
    lines.push(
      `request_duration_ms_sum{${labels}} ${sumMs}`,
      `request_duration_ms_count{${labels}} ${total}`,
    );
  }
  lines.push('# HELP requests_lost_total Requests that were overwritten before they were counted.');
  lines.push('# TYPE requests_lost_total counter', `requests_lost_total ${lost}`);
  lines.push(
    '# HELP requests_lag Requests that are recorded, and not counted yet.',
    '# TYPE requests_lag gauge',
  );
  const follower = log.stats().readers.flatMap(({ followers }) => followers)[0];
  lines.push(`requests_lag ${follower?.lag ?? 0}`, '');
  return lines.join('\n');
}

const server = createServer((request, response) => {
  if (request.url !== '/metrics') return response.writeHead(404).end();
  return response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(describe());
});
server.listen(port, '127.0.0.1', () => parentPort.postMessage(server.address().port));

await count(); // until the writer ends the log
server.close();
server.closeAllConnections();
log.close();
