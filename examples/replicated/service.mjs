// A process that is started, killed and started again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const LINES_KEPT = 20;

export class Service {
  kills = 0;
  isUp = false;
  #child;
  #said = [];

  constructor(name, command, parameters, { onMessage, onFailure }) {
    Object.assign(this, { name, command, parameters, onMessage, onFailure });
  }

  start() {
    const withMessages = this.onMessage !== undefined;
    const child = spawn(this.command, this.parameters, {
      // Of its own group, so that Ctrl-C does not reach it.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', ...(withMessages ? ['ipc'] : [])],
    });
    this.#child = child;
    this.isUp = true;
    this.#said = [];
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#said = [...this.#said, ...text.trimEnd().split('\n')].slice(-LINES_KEPT);
    });
    if (withMessages) child.on('message', this.onMessage);
    child.on('error', (error) => this.#ended(child, error.message));
    child.on('close', (code, signal) => this.#ended(child, signal ?? `exit status ${code}`));
  }

  send(message) {
    this.#child.send(message);
  }

  /** As a crash would end it. */
  async kill() {
    ++this.kills;
    await this.end();
  }

  async end() {
    const child = this.#child;
    if (!this.isUp) return;
    this.isUp = false;
    child.kill('SIGKILL');
    await once(child, 'close');
  }

  /** When this process ends: there is no time to wait. */
  endNow() {
    if (this.isUp) this.#child.kill('SIGKILL');
  }

  #ended(child, how) {
    if (child !== this.#child || !this.isUp) return;
    this.isUp = false;
    this.onFailure(new Error([`${this.name} has ended by itself: ${how}`, ...this.#said].join('\n  ')));
  }
}
