import { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { runtime } from './runtime';
import { hasStrictViews } from './strict';

/** The runtime's own garbage collector. */
function collector(): () => void {
  if (runtime === 'bun') {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only Bun has it
    const { gc } = require('bun') as { gc: (force: boolean) => void };
    return () => gc(true);
  }
  setFlagsFromString('--expose_gc');
  return runInNewContext('gc') as () => void;
}

const collect = collector();

const ROUNDS_MAX = 300;
/** After so many rounds there is a pause in each. */
const ROUNDS_AT_ONCE = 20;
const PAUSE_MS = 20;

/** The end of the current turn of the event loop, after the immediates that wait already. */
export async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

/** Collects garbage and lets finalizers run, so many times over. */
export async function collectGarbage(rounds = 3): Promise<void> {
  for (let i = 0; i < rounds; ++i) {
    await nextTurn();
    collect();
  }
  await nextTurn();
}

/**
 * Collects garbage until `isDone`. Finalizers run in later turns of the event
 * loop and in no promised order, so a single collection proves nothing. Helper
 * threads of the engine (compilers, sweepers) may still hold what is garbage
 * already; on a loaded machine they need time more than they need collections.
 */
export async function collectUntil(what: string, isDone: () => boolean): Promise<void> {
  for (let i = 0; i < ROUNDS_MAX; ++i) {
    if (isDone()) return;
    await collectGarbage(1);
    if (i >= ROUNDS_AT_ONCE) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error(`${what}: still not so after ${ROUNDS_MAX} collections`);
}

/**
 * Detaches an ArrayBuffer of a log, as a byte stream does to what it is given.
 * `structuredClone` does not do on every runtime: Node 20 copies instead. Shared
 * memory cannot be detached, and is left as it is.
 */
export function detach(buffer: ArrayBufferLike): void {
  if (types.isSharedArrayBuffer(buffer)) return;
  if (hasStrictViews && buffer.byteLength === 0) return;
  new ReadableStream({
    type: 'bytes',
    start(controller) {
      controller.enqueue(new Uint8Array(buffer as ArrayBuffer));
    },
  });
  if (buffer.byteLength !== 0) throw new Error('the byte stream left the ArrayBuffer attached');
}

/** Transfers an ArrayBuffer away if the runtime lets it go; Node 20 copies it, later ones refuse. */
export function tryTransfer(buffer: ArrayBufferLike): void {
  if (types.isSharedArrayBuffer(buffer)) return;
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  } catch (error) {
    if ((error as Error).name !== 'DataCloneError') throw error;
  }
}
