/** `Symbol.dispose` where the runtime has it, otherwise the symbol that compilers of `using` fall back to. */
export const dispose: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);

/** The same for `await using`. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);

/** What `follow()` returns: an iterator for `for await`, and for `await using`, which ends it as `return()` does. */
export interface Followed<T> extends AsyncIterableIterator<T> {
  [Symbol.asyncDispose](): Promise<void>;
}
