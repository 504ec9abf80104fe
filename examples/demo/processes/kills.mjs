// @ts-check
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearScreenDown, moveCursor } from 'node:readline';
import { AtomicLog } from 'atomic-log';
import { withCommas } from '../format.mjs';
import { stopper } from '../stopper.mjs';
import { UsageError } from '../usage-error.mjs';
import { schema } from './entry.mjs';
import { Member } from './members.mjs';

const PER_SECOND = 100_000;
const SEGMENTS = 16;
const SHOW_MS = 250;
/** Between two kills, unless keys say when. */
const PAUSE_MS = 400;

/** @param {string} directory */
function removeDirectory(directory) {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    // Windows keeps a file for as long as a process has it mapped, as this one may until it ends.
    if (process.platform !== 'win32') throw error;
  }
}

/**
 * One log, several processes: a writer, a standby and readers, all of which may be killed.
 *
 * @param {{ readers: number, rate?: number, seconds?: number, window: number }} options
 * @returns {Promise<number>} The exit status.
 */
export async function killProcesses({ readers, rate = PER_SECOND, seconds, window }) {
  if (!Number.isFinite(rate)) throw new UsageError('--processes takes a number for --rate');
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'atomic-log-demo-'));
  try {
    return await new Demo(join(directory, 'log'), readers, rate, window).run(seconds);
  } finally {
    removeDirectory(directory);
  }
}

class Demo {
  /** @type {(error: Error) => void} */
  #fail = () => {};
  #killedAt = 0;
  #takeOvers = /** @type {number[]} */ ([]);
  /** @type {Member | undefined} */
  #writer;
  #lines = 0;

  /**
   * @param {string} path
   * @param {number} readers
   * @param {number} perSecond
   * @param {number} window
   */
  constructor(path, readers, perSecond, window) {
    this.path = path;
    const segmentCapacity = Math.ceil(window / SEGMENTS);
    this.log = AtomicLog.openSync(path, { schema, retainedCapacity: window, segmentCapacity });
    /** @type {Promise<never>} */
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    const on = {
      failed: (/** @type {Error} */ error) => this.#fail(error),
      reported: (/** @type {Member} */ member) => this.#noticeTakeOver(member),
    };
    this.writers = [0, 1].map(() => new Member(path, 'write', perSecond, on));
    this.readers = Array.from({ length: readers }, () => new Member(path, 'read', perSecond, on));
  }

  /** @param {number | undefined} seconds */
  async run(seconds) {
    const hasKeys = process.stdin.isTTY && process.stdout.isTTY && seconds === undefined;
    const stopping = stopper(this.failed);
    console.log(`One log in ${this.path}: a writer, a standby, and ${this.readers.length} that read.`);
    const shown = setInterval(() => this.#show(), process.stdout.isTTY ? SHOW_MS : 1000);
    try {
      if (hasKeys) await this.#obeyKeys(stopping);
      else await this.#killByItself(seconds, stopping.signal);
      // What went wrong in a process.
      await Promise.race([this.failed, Promise.resolve()]);
    } finally {
      clearInterval(shown);
      stopping.stop();
      await Promise.all([...this.writers, ...this.readers].map((member) => member.close()));
    }
    return this.#verdict();
  }

  killWriter() {
    if (this.#writer === undefined || !this.#writer.isWriting) return;
    this.#killedAt = performance.now();
    this.#writer.kill();
  }

  /** In turn. */
  killReader() {
    const [first, ...others] = this.readers;
    others.reduce((least, each) => (each.kills < least.kills ? each : least), first).kill();
  }

  /** @param {Member} member */
  #noticeTakeOver(member) {
    if (!member.isWriting || member === this.#writer) return;
    if (this.#killedAt > 0) this.#takeOvers.push(performance.now() - this.#killedAt);
    this.#writer = member;
  }

  /** @param {ReturnType<typeof stopper>} stopping */
  async #obeyKeys({ signal, stop }) {
    const { stdin } = process;
    stdin.setRawMode(true);
    stdin.on('data', (/** @type {Buffer} */ bytes) => {
      for (const key of bytes.toString()) {
        if (key === 'r') this.killReader();
        else if (key === 'w') this.killWriter();
        else if (key === 'q' || key === '\x03') stop();
      }
    });
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    stdin.setRawMode(false);
    stdin.pause();
  }

  /**
   * Until the time is over, but a writer and a reader are killed at least.
   *
   * @param {number | undefined} seconds
   * @param {AbortSignal} signal
   */
  async #killByItself(seconds = Infinity, signal) {
    const end = performance.now() + seconds * 1000;
    let kills = 0;
    while (!signal.aborted) {
      // Also so that what was started again has read something.
      await this.#waitUntil(() => this.#isComplete(), signal);
      if (signal.aborted || (performance.now() >= end && kills >= 2)) return;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (kills++ % 2 === 0) this.killWriter();
      else this.killReader();
    }
  }

  #isComplete() {
    const members = [...this.writers, ...this.readers];
    return members.every(({ isReady }) => isReady) && this.writers.some(({ isWriting }) => isWriting);
  }

  /**
   * @param {() => boolean} isSo
   * @param {AbortSignal} signal
   */
  async #waitUntil(isSo, signal) {
    // What was killed a moment ago still has its last report.
    do await new Promise((resolve) => setTimeout(resolve, PAUSE_MS / 4));
    while (!isSo() && !signal.aborted);
  }

  #show() {
    const lines = process.stdout.isTTY ? this.#table() : [this.#line()];
    if (this.#lines > 0) {
      moveCursor(process.stdout, 0, -this.#lines);
      clearScreenDown(process.stdout);
    }
    console.log(lines.join('\n'));
    this.#lines = process.stdout.isTTY ? lines.length : 0;
  }

  #line() {
    const { read, lost, wrong } = this.#sums();
    const kills = this.readers.reduce((sum, reader) => sum + reader.kills, 0);
    return (
      `${withCommas(this.log.endIndex)} published, ${withCommas(read)} read, ${withCommas(lost)} lost, ${wrong} wrong; ` +
      `killed: ${this.#takeOvers.length} writers, ${kills} readers`
    );
  }

  #table() {
    const row = (/** @type {(string | number)[]} */ ...cells) =>
      cells.map((cell, i) => (i === 0 ? String(cell).padEnd(18) : String(cell).padStart(14))).join('');
    const last = this.#takeOvers.at(-1);
    return [
      row('', 'process', 'entries', 'lost', 'wrong', 'killed'),
      ...this.writers.map((member) =>
        row(
          member.isWriting ? 'writer' : 'standby',
          member.pid ?? '',
          member.isWriting ? withCommas(member.last?.endIndex ?? 0) : '',
          '',
          '',
          member.kills,
        ),
      ),
      ...this.readers.map((member, i) => {
        const { read, lost, wrong } = member.counts;
        return row(
          `reader ${i + 1}`,
          member.pid ?? '',
          withCommas(read),
          withCommas(lost),
          wrong,
          member.kills,
        );
      }),
      last === undefined ? '' : `the standby had the claim ${last.toFixed(1)} ms after the kill`,
      'w kills the writer, r a reader, q ends',
    ];
  }

  #sums() {
    const sums = { read: 0, lost: 0, wrong: 0 };
    for (const { counts } of this.readers) {
      sums.read += counts.read;
      sums.lost += counts.lost;
      sums.wrong += counts.wrong;
    }
    return sums;
  }

  #verdict() {
    const { read, wrong } = this.#sums();
    console.log(this.#line());
    this.log.close();
    const slowest = Math.max(0, ...this.#takeOvers);
    if (this.#takeOvers.length > 0) console.log(`slowest take-over: ${slowest.toFixed(1)} ms after the kill`);
    if (wrong > 0 || read === 0) {
      console.error(`check failed: ${wrong} of ${withCommas(read)} entries are not what was appended`);
      return 1;
    }
    console.log(`check passed: none of ${withCommas(read)} entries that were read is wrong`);
    return 0;
  }
}
