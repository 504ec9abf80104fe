// A journal over HTTP: what was answered with 201 is on disk, whatever crashes. Requests that come
// together share one sync.
//
//   node examples/http-journal/server.mjs DIRECTORY [PORT]
//   curl -d '{"order":1}' -H 'content-type: application/json' localhost:PORT/events
//   curl 'localhost:PORT/events?from=1&limit=10'
import fastify from 'fastify';
import { Wal } from 'atomic-log';

const LIMIT = 1000;
const [directory = 'journal', port = '8080'] = process.argv.slice(2);
const wal = await Wal.open(directory);
const app = fastify({ bodyLimit: 64 * 1024, forceCloseConnections: true });

/** The disk is full, or broken: the client may try again elsewhere. What is wrong with a request fastify says itself. */
app.setErrorHandler((error, request, reply) => {
  const isOurs = error.code?.startsWith('ERR_') ?? false;
  return reply
    .code(isOurs ? 503 : (error.statusCode ?? 500))
    .send({ code: error.code, message: error.message });
});

app.post('/events', async (request, reply) => {
  const lsn = await wal.append(Buffer.from(JSON.stringify(request.body))); // on disk once it resolves
  return reply.code(201).send({ lsn });
});

const query = {
  type: 'object',
  properties: {
    from: { type: 'integer', minimum: 1, default: 1 },
    limit: { type: 'integer', minimum: 1, maximum: LIMIT, default: LIMIT },
  },
};
app.get('/events', { schema: { querystring: query } }, (request) => {
  const from = Math.max(request.query.from, wal.firstLsn);
  const to = Math.min(from + request.query.limit - 1, wal.lastLsn);
  const events = [...wal.entries({ from, to })];
  return events.map(({ lsn, data }) => ({ lsn, event: JSON.parse(data.toString()) }));
});

app.get('/health', () => ({ firstLsn: wal.firstLsn, durableLsn: wal.durableLsn }));

// Requests that are under way are answered, then the log is closed.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await app.close();
    await wal.close();
  });
}
await app.listen({ port: Number(port), host: '127.0.0.1' });
console.log(JSON.stringify({ port: app.server.address().port, lastLsn: wal.lastLsn }));
