// @ts-check
import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { ReaderThread } from './reader-thread.mjs';

/** @typedef {Omit<import('./reader.mjs').ReaderData, 'name' | 'cell' | 'from'>} PoolData */

const ANSWER_MS = 400;
const DRAIN_MS = 30_000;

// Every thread listens to the output of the process.
setMaxListeners(0, process.stdout, process.stderr);

/** The worker threads that read the same records. */
export class ReaderPool {
  /** In the order in which they began; those that were killed too. @type {ReaderThread[]} */
  readers = [];
  /** Rejects when a reader fails. @type {Promise<never>} */
  failed;
  #name;
  #data;
  /** @type {(error: unknown) => void} */
  #fail = () => {};

  /**
   * @param {string} name Of each, with a number.
   * @param {number} count
   * @param {PoolData} data
   */
  constructor(name, count, data) {
    this.#name = name;
    this.#data = data;
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => {});
    for (let i = 0; i < count; ++i) this.#start(0);
  }

  /** Those that were not killed. */
  get alive() {
    return this.readers.filter(({ state }) => state !== 'killed');
  }

  /** Waits until every reader is attached: a handle alone does not keep the log alive. */
  async ready() {
    await this.#unlessFailed(this.readers.map((reader) => reader.answer()));
  }

  /** Asks every reader for a report. One that is too busy to answer in time keeps its old report for now. */
  async collect() {
    const late = setTimeout(ANSWER_MS, undefined, { ref: false });
    await Promise.race([this.#unlessFailed(this.readers.map((reader) => reader.ask())), late]);
  }

  /** One more, which begins with the oldest record that the log holds then. */
  add() {
    return this.#start('oldest');
  }

  /** To those that read messages: there are no more. */
  endMessages() {
    for (const reader of this.readers) reader.post('end');
  }

  /** Waits until the readers have read all that there is. Only after the writer has ended the log. */
  async drain() {
    for (const reader of this.readers) reader.resume();
    const late = setTimeout(DRAIN_MS, 'late', { ref: false });
    const ends = Promise.all(this.readers.map(({ ended }) => ended));
    if ((await Promise.race([ends, late])) === 'late') {
      throw new Error(`a reader has not reached the end after ${DRAIN_MS / 1000} s`);
    }
  }

  /** Ends the threads, whatever they do. */
  async terminate() {
    await Promise.all(this.readers.map((reader) => reader.kill()));
  }

  /** @param {number | 'oldest'} from */
  #start(from) {
    const reader = new ReaderThread(`${this.#name} ${this.readers.length + 1}`, { ...this.#data, from });
    reader.ended.catch(this.#fail);
    this.readers.push(reader);
    return reader;
  }

  /** @param {Promise<unknown>[]} promises */
  #unlessFailed(promises) {
    return Promise.race([Promise.all(promises), this.failed]);
  }
}
