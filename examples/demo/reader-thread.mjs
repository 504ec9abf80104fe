// @ts-check
import { Worker } from 'node:worker_threads';

/**
 * @typedef {import('./reader.mjs').Answer} Answer
 * @typedef {import('./reader.mjs').ReaderData} ReaderData
 * @typedef {import('./reader.mjs').Report} Report
 */

/** One worker thread that reads, as the main thread sees it. */
export class ReaderThread {
  /** As in `log.stats()`. */
  name;
  /** @type {'reads' | 'stalled' | 'killed'} */
  state = 'reads';
  /** The last one. @type {Report | undefined} */
  report;
  /** Resolves when the thread is gone, also when it was killed; rejects when it failed. @type {Promise<void>} */
  ended;
  #worker;
  /** What a stalled thread waits on: 1 while it must wait. */
  #cell = new Int32Array(new SharedArrayBuffer(4));
  /** @type {(() => void)[]} */
  #waiting = [];

  /**
   * @param {string} name
   * @param {Omit<ReaderData, 'name' | 'cell'>} data
   */
  constructor(name, data) {
    this.name = name;
    this.#worker = new Worker(new URL('./reader.mjs', import.meta.url), {
      name,
      workerData: { ...data, name, cell: this.#cell },
    });
    this.#worker.on('message', (/** @type {Answer} */ answer) => {
      if (answer !== 'ready') this.report = answer;
      this.#answered();
    });
    this.ended = new Promise((resolve, reject) => {
      this.#worker.once('error', reject).once('exit', () => resolve());
    });
    // It is waited for where the pool says so.
    this.ended.catch(() => {}).finally(() => this.#answered());
  }

  /** Its next message; or its end. */
  answer() {
    return new Promise((/** @type {(value?: unknown) => void} */ resolve) => this.#waiting.push(resolve));
  }

  /** A report, as soon as it comes to that. */
  async ask() {
    if (this.state !== 'reads') return;
    this.post('report');
    await this.answer();
  }

  /** @param {unknown} message */
  post(message) {
    this.#worker.postMessage(message);
  }

  /** It stops where it is, with a snapshot of the window, until `resume()`. */
  stall() {
    if (this.state !== 'reads') return;
    this.state = 'stalled';
    Atomics.store(this.#cell, 0, 1);
    this.post('stall');
  }

  resume() {
    if (this.state === 'stalled') this.state = 'reads';
    Atomics.store(this.#cell, 0, 0);
    Atomics.notify(this.#cell, 0);
  }

  /** Ends the thread in the middle of what it does: it closes nothing. */
  async kill() {
    this.state = 'killed';
    await this.#worker.terminate();
  }

  #answered() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
