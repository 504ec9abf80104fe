// @ts-check

/** The signals that ask for an end, and the exit status of a process that they end. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 };

/**
 * Decides when to stop: after some seconds, on Ctrl-C and its like, when nobody reads the output any more, or when
 * a reader failed.
 *
 * @param {Promise<never>} failed
 */
export function stopper(failed) {
  const controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  onStopSignal(stop);
  onClosedOutput(stop);
  // What went wrong in the reader is thrown where its end is waited for.
  failed.catch(stop);

  function stop() {
    clearTimeout(timer);
    controller.abort();
  }

  /** @param {number | undefined} seconds */
  function stopAfter(seconds) {
    if (seconds !== undefined) timer = setTimeout(stop, seconds * 1000);
  }
  return { signal: controller.signal, stop, stopAfter };
}

/**
 * Calls `stop` at the first Ctrl-C or SIGTERM. At the second the process ends at once, in case the orderly way
 * out hangs.
 *
 * @param {() => void} stop
 */
function onStopSignal(stop) {
  let isStopping = false;
  for (const [name, status] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (isStopping) process.exit(status);
      isStopping = true;
      stop();
    });
  }
}

/**
 * Calls `stop` when the program that read the output is gone, as with `| head`. There is nobody to complain to.
 *
 * @param {() => void} stop
 */
function onClosedOutput(stop) {
  process.stdout.on('error', (error) => {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
    stop();
  });
}
