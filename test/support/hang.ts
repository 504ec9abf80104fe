import { createContext, Script } from 'node:vm';

const HANG_MS = 60_000;

const context = createContext({ run: undefined as unknown });
const script = new Script('run()');

/**
 * Runs `run`, and fails when it never ends. jest cannot interrupt a synchronous
 * loop, so that a hang would take the whole suite with it. The limit is far
 * beyond what any of the runs takes, on a busy machine too.
 */
export function failingIfItHangs<R>(run: () => R): R {
  context['run'] = run;
  return script.runInContext(context, { timeout: HANG_MS }) as R;
}
