/** Files that are loaded when they are first needed. */
import { codeOf, plainError } from './errors';

/**
 * What `load` gives, which calls `require`. That needs a descriptor for a moment: where none is left, it is an error as
 * that of any other file, and trying again is right.
 */
export function loadLate<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
    throw plainError(
      'ERR_TOO_MANY_FILES',
      'code that is loaded when it is first needed cannot be read: as many files are open as the process, or the ' +
        'system, may have; close some or raise the limit (ulimit -n), then try again',
      error,
    );
  }
}
