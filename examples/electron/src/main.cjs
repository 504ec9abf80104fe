// The main process: writes the log, and hands it on.
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');
const { app, BrowserWindow, MessageChannelMain, utilityProcess } = require('electron');
const { forward } = require('./batches.cjs');
const { makeLog, startTelemetry } = require('./telemetry.cjs');

app.on('window-all-closed', () => app.quit());

void app.whenReady().then(async () => {
  const { writer, log } = makeLog();
  const stop = startTelemetry(writer);
  const ending = new AbortController();
  console.log(`mapping: ${log.mapping}`); // 'shared', because Electron allows no external memory

  const worker = new Worker(join(__dirname, 'statistics-worker.cjs'), { workerData: log.handle });
  worker.on('message', (statistics) => console.log('worker', statistics));

  const utility = utilityProcess.fork(join(__dirname, 'utility.cjs'));
  utility.on('message', (statistics) => console.log('utility process', statistics));
  void forward(log, (batch) => utility.postMessage(batch), ending.signal);

  const window = new BrowserWindow({
    width: 900,
    height: 400,
    webPreferences: { preload: join(__dirname, 'preload.cjs') },
  });
  await window.loadFile(join(__dirname, 'window.html'));
  const { port1, port2 } = new MessageChannelMain();
  window.webContents.postMessage('log', null, [port2]);
  void forward(log, (batch) => port1.postMessage(batch), ending.signal);

  app.once('before-quit', () => {
    stop();
    ending.abort();
    worker.postMessage('end');
    utility.postMessage('end');
    writer.end();
    log.close();
  });
});
