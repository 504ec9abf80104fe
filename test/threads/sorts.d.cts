import type { Codec, CodecLogOptions } from 'atomic-log';

/** A sort of log: its options, and what its entries are. */
export interface Sort {
  /** Beside the capacities. Told to be those of a codec, because the sorts have no common type. */
  readonly options: Pick<CodecLogOptions<unknown>, 'codec' | 'dataBytes'>;
  /** What those need who attach. */
  readonly attach?: { readonly codec: Codec<unknown> };
  readonly entryOf: (index: number) => unknown;
  readonly isEntry: (value: unknown, index: number) => boolean;
}

export const sorts: Readonly<Record<string, Sort>>;
export const valueOf: (index: number) => number;
