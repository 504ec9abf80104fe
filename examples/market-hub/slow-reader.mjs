// A reader that needs a while for each look, as one that draws does. It sees the recent window, and how much
// it missed; the writer does not wait, and keeps no more memory for it than the snapshot pins.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { schema } from './schema.mjs';

const LOOK_MS = 100;
const { handle, name } = workerData;
const log = AtomicLog.attach(handle, { schema, name });
const snapshot = log.snapshot();
let [seen, lost, looks] = [0, 0, 0];
let from = 0;

function look() {
  const isOver = log.ended; // before the refresh: what comes after the end is nothing
  snapshot.refresh();
  ++looks;
  const first = Math.max(from, snapshot.firstIndex);
  lost += first - from;
  for (const chunk of snapshot.chunks(first)) seen += chunk.length;
  from = snapshot.endIndex;
  if (!isOver) return setTimeout(look, LOOK_MS);
  parentPort.postMessage({ name, seen, lost, looks });
  snapshot.close();
  log.close();
}

parentPort.postMessage('ready');
look();
