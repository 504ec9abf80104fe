import { AtomicLog } from 'atomic-log';
import { ended, firstMessage, runScript, startWorker } from './helpers';

const options = { retainedCapacity: 8, segmentCapacity: 4 };

test('a handle goes through workerData', async () => {
  const { writer, log } = AtomicLog.claimed(options);
  writer.appendBatch([1, 2, 3, 4, 5]);
  const worker = startWorker('read', { handle: log.handle });
  expect(await firstMessage(worker)).toEqual([1, 2, 3, 4, 5]);
  await ended(worker);
  // It is in use until here: what nobody can reach is collected, and gone for the worker.
  expect(log.endIndex).toBe(5);
});

test('a handle goes through postMessage', async () => {
  const { writer, log } = AtomicLog.claimed(options);
  writer.append(7);
  const worker = startWorker('readPosted', {});
  worker.postMessage(log.handle);
  expect(await firstMessage(worker)).toEqual([7]);
  await ended(worker);
  expect(log.endIndex).toBe(1);
});

test('records reach a worker with their schema', async () => {
  const { writer, log } = AtomicLog.claimed({
    ...options,
    schema: { price: 'f64', size: 'u32', time: 'i64' },
  });
  writer.append({ price: 1.5, size: 2, time: 3n });
  const worker = startWorker('read', { handle: log.handle });
  expect(await firstMessage(worker)).toEqual([{ price: 1.5, size: 2, time: 3n }]);
  await ended(worker);
  expect(log.endIndex).toBe(1);
});

test('the writer goes from thread to thread, and indexes go on', async () => {
  const { writer, log } = AtomicLog.claimed(options);
  writer.append(1);
  writer.close();
  const worker = startWorker('append', { handle: log.handle, values: [2, 3, 4, 5, 6] });
  expect(await ended(worker)).toBe(0);
  const again = log.tryClaimWriter()!;
  expect(again.append(7)).toBe(6);
  expect([...log.snapshot()]).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a worker cannot claim what this thread holds', async () => {
  // Kept: one that is dropped gives its claim back when it is collected.
  const { log, writer } = AtomicLog.claimed(options);
  const worker = startWorker('append', { handle: log.handle, values: [1] });
  expect(await ended(worker)).toBe(1);
  expect(log.endIndex).toBe(0);
  writer.close();
});

test('a handle keeps nothing alive: attaching too late says so', async () => {
  const log = new AtomicLog(options);
  const { handle } = log;
  log.close();
  expect(() => AtomicLog.attach(handle)).toThrow(expect.objectContaining({ code: 'ERR_LOG_GONE' }));
  const worker = startWorker('attach', { handle });
  expect(await firstMessage(worker)).toBe('ERR_LOG_GONE');
  await ended(worker);
});

test('the addon stays loaded when only workers loaded it', () => {
  const output = runScript(`
    const { Worker } = require('node:worker_threads');
    const { readFileSync } = require('node:fs');
    const isLoaded = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').some((line) => /atomic[-_]log[^\\/]*\\.node$/.test(line));
    const code = \`
      const { AtomicLog } = require('./dist/index.js');
      const { writer, log } = AtomicLog.claimed({ retainedCapacity: 1000, segmentCapacity: 100 });
      writer.appendBatch(new Float64Array(500));
      globalThis.kept = log.snapshot().chunks().map((chunk) => chunk.values);
      require('node:worker_threads').parentPort.postMessage(log.handle);
    \`;
    (async () => {
      if (isLoaded()) throw new Error('loaded too early');
      const handles = [];
      for (let i = 0; i < 5; ++i) {
        const worker = new Worker(code, { eval: true });
        worker.once('message', (handle) => handles.push(handle));
        await new Promise((resolve) => worker.once('exit', resolve));
        if (process.platform === 'linux' && !isLoaded()) throw new Error('unloaded');
      }
      // Loaded again it still is the same: were it another, it would take the
      // first handle for that of a foreign copy.
      const { AtomicLog } = require('./dist/index.js');
      const { handle } = new AtomicLog({ retainedCapacity: 8, segmentCapacity: 4 });
      if (handles.length !== 5) throw new Error('not every worker had a log');
      if (handles.some(({ registry }) => registry !== handle.registry)) throw new Error('loaded anew');
      let refusal;
      try { AtomicLog.attach(handles[0]); } catch (error) { refusal = error.code; }
      if (refusal !== 'ERR_LOG_GONE') throw new Error('the log of an ended worker: ' + refusal);
      console.log('still loaded');
    })();
  `);
  expect(output.trim()).toBe('still loaded');
});
