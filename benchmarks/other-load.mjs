// How busy the machine is with something else. Measurements on a busy machine
// look like any others, so the report says it.
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_MS = 500;

function times() {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += Object.values(times).reduce((sum, ms) => sum + ms, 0);
  }
  return { idle, all };
}

/** Cores in use while this process and its children do nothing. */
async function otherLoad() {
  const before = times();
  await sleep(SAMPLE_MS);
  const after = times();
  const idleShare = (after.idle - before.idle) / Math.max(1, after.all - before.all);
  return (1 - idleShare) * cpus().length;
}

const QUIET_CORES = 0.3;
const PATIENCE_MS = 15_000;

/** Waits a while for other work to end, whatever the measurements say. */
export async function waitForQuiet() {
  const deadline = performance.now() + PATIENCE_MS;
  while ((await otherLoad()) > QUIET_CORES && performance.now() < deadline);
}

/** Whether something else ran just before or just after `work`. */
export async function withLoad(work) {
  const before = await otherLoad();
  const result = await work();
  const load = Math.max(before, await otherLoad());
  return { result, load, isDisturbed: load > QUIET_CORES };
}
