// @ts-check
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/**
 * @typedef {import('./reader.mjs').Answer} Answer
 * @typedef {import('./reader.mjs').ReaderData} ReaderData
 * @typedef {import('./reader.mjs').Report} Report
 */

const ANSWER_MS = 400;
const DRAIN_MS = 30_000;

/** The worker threads that read. */
export class ReaderPool {
  /** The last report of each reader. @type {(Report | undefined)[]} */
  reports;
  /** Settles when all threads are gone; rejects as soon as one fails. @type {Promise<unknown>} */
  ended;
  #workers;

  /**
   * @param {number} count
   * @param {ReaderData} data
   */
  constructor(count, data) {
    this.reports = Array.from({ length: count }, () => undefined);
    this.#workers = this.reports.map((_, i) => this.#start(i, data));
    this.ended = Promise.all(this.#workers.map((worker) => once(worker, 'exit')));
  }

  /** Waits until every reader is attached: a handle alone does not keep the log alive. */
  async ready() {
    await this.#answers();
  }

  /** Asks every reader for a report. One that is too busy to answer in time keeps its old report for now. */
  async collect() {
    for (const worker of this.#workers) worker.postMessage('report');
    await Promise.race([this.#answers(), setTimeout(ANSWER_MS, undefined, { ref: false })]);
  }

  /** Waits until the readers have read all that there is. Only after the writer has ended the log. */
  async drain() {
    const late = setTimeout(DRAIN_MS, 'late', { ref: false });
    if ((await Promise.race([this.ended, late])) === 'late') {
      throw new Error(`a reader has not reached the end after ${DRAIN_MS / 1000} s`);
    }
  }

  /** Ends the threads, whatever they do. */
  async terminate() {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /**
   * @param {number} i
   * @param {ReaderData} data
   */
  #start(i, data) {
    const worker = new Worker(new URL('./reader.mjs', import.meta.url), {
      name: `reader ${i + 1}`,
      workerData: data,
    });
    worker.on('message', (/** @type {Answer} */ answer) => {
      if (answer !== 'ready') this.reports[i] = answer;
    });
    return worker;
  }

  /** The next message of every reader; rejects when one fails. */
  #answers() {
    return Promise.all(this.#workers.map((worker) => once(worker, 'message')));
  }
}
