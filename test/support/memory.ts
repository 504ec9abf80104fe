import { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { hasStrictViews } from './strict';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

const ROUNDS_MAX = 100;

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
 * loop and in no promised order, so a single collection proves nothing.
 */
export async function collectUntil(what: string, isDone: () => boolean): Promise<void> {
  for (let i = 0; i < ROUNDS_MAX; ++i) {
    if (isDone()) return;
    await collectGarbage(1);
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
