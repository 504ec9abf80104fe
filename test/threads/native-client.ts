// Another addon, that uses the installed headers: test/addon.
import type { NativeHandle } from 'atomic-log';

import { buildOtherAddon } from '../support/other-addons.cjs';

export const OK = 0;
export const GONE = 3;
export const CLAIMED = 6;
export const ENDED = 7;
export const INVALID = 10;
export const COLUMNS = 12;

export interface Counts {
  produced: number;
  batches: number;
  entries: number;
  lost: number;
  wrong: number;
}

export interface NativeClient {
  attach(handle: unknown): number;
  produce(handle: NativeHandle, count: number, perPublish: number, mustEnd: boolean): number;
  consume(handle: NativeHandle): number;
  stop(): void;
  join(): Counts;
  openWriter(handle: NativeHandle): number;
  append(count: number): number;
  closeWriter(): void;
}

/** Undefined where there is no compiler. */
export const binary = buildOtherAddon('test/addon');
// eslint-disable-next-line @typescript-eslint/no-require-imports -- built a moment ago
export const client = (binary === undefined ? undefined : require(binary)) as NativeClient;
