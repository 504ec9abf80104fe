import { invalidType } from './errors';

/** An AbortSignal, or undefined. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const { addEventListener, throwIfAborted } = (signal ?? {}) as Partial<AbortSignal>;
  if (typeof addEventListener !== 'function' || typeof throwIfAborted !== 'function')
    throw invalidType('options.signal', 'an AbortSignal', signal);
  return signal as AbortSignal;
}
