// A service that is measured: each request is a record, which costs some fifty nanoseconds, and an agent in
// a worker counts them and answers Prometheus. It answers while this thread is busy, and needs no message from it.
//
//   node examples/metrics/main.mjs [PORT of the service] [PORT of the metrics]
//   curl localhost:PORT/work/5     # a request that takes so many milliseconds of this thread
//   curl localhost:METRICS/metrics
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { ROUTES, schema } from './schema.mjs';

const [port = '8081', metricsPort = '9100'] = process.argv.slice(2);

const { writer, log } = AtomicLog.claimed({
  name: 'requests',
  retainedCapacity: 65_536,
  segmentCapacity: 4096,
  schema,
});
const workerData = { handle: log.handle, port: Number(metricsPort) };
const agent = new Worker(new URL('agent.mjs', import.meta.url), { workerData });
const [agentPort] = await once(agent, 'message');

/** Records a request when it is answered. */
function measure(request, response, route) {
  const begin = performance.now();
  response.on('finish', () => {
    writer.append({
      time: performance.timeOrigin + begin,
      route,
      status: response.statusCode,
      durationMs: performance.now() - begin,
    });
  });
}

const server = createServer((request, response) => {
  const [, name, argument] = request.url.split('/');
  const route = Math.max(ROUTES.indexOf(name), 0);
  measure(request, response, route);
  if (ROUTES[route] === 'work') {
    for (const end = performance.now() + Math.min(Number(argument) || 0, 10_000); performance.now() < end;);
  }
  response.statusCode = ROUTES[route] === 'other' ? 404 : 200;
  response.end();
});
server.listen(Number(port), '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port, metricsPort: agentPort }));
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    writer.end(); // the agent ends when it has read all of it
  });
}
