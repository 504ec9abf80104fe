// @ts-check
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * What a process says of itself; a reader's counts are those of this life.
 *
 * @typedef {object} Report
 * @property {'open' | 'claimed' | 'reading'} state
 * @property {number} [endIndex]
 * @property {number} [read]
 * @property {number} [lost]
 * @property {number} [wrong]
 */

const PROGRAM = fileURLToPath(new URL('./member.mjs', import.meta.url));

/** A process in its place: when it is killed, another one is started there. */
export class Member {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  #isClosed = false;
  /** Whether it was killed and is not started again yet. */
  #isOver = false;
  /** @type {Report | undefined} */
  last;
  kills = 0;
  /** Of the lives before. */
  #before = { read: 0, lost: 0, wrong: 0 };

  /**
   * @param {string} path
   * @param {'write' | 'read'} role
   * @param {number} perSecond
   * @param {{ failed: (error: Error) => void, reported: (member: Member) => void }} on
   */
  constructor(path, role, perSecond, on) {
    this.role = role;
    this.path = path;
    this.perSecond = perSecond;
    this.on = on;
    this.#start();
  }

  get pid() {
    return this.#child?.pid;
  }
  get isWriting() {
    return this.last?.state === 'claimed';
  }
  /** Whether it does what it is there for: a standby waits. */
  get isReady() {
    return this.role === 'write' ? this.last !== undefined : (this.last?.read ?? 0) > 0;
  }
  /** Of all its lives. */
  get counts() {
    const { read = 0, lost = 0, wrong = 0 } = this.last ?? {};
    const before = this.#before;
    return { read: before.read + read, lost: before.lost + lost, wrong: before.wrong + wrong };
  }

  kill() {
    ++this.kills;
    this.#child?.kill('SIGKILL');
    this.#lifeIsOver();
  }

  /** Kills it for good. */
  async close() {
    this.#isClosed = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }

  /** What it has said stays; what it was does not. */
  #lifeIsOver() {
    this.#before = this.counts;
    this.last = undefined;
    this.#isOver = true;
  }

  #start() {
    this.#isOver = false;
    const args = [PROGRAM, this.path, this.role, String(this.perSecond)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    child.on('message', (message) => {
      if (this.#isOver) return;
      this.last = /** @type {Report} */ (message);
      this.on.reported(this);
    });
    child.on('error', this.on.failed);
    child.on('exit', (code, signal) => {
      if (!this.#isOver) this.#lifeIsOver();
      if (this.#isClosed) return;
      if (signal === 'SIGKILL') this.#start();
      else this.on.failed(new Error(`a process that should ${this.role} ended with ${signal ?? code}`));
    });
  }
}
