/**
 * Runs growth-point.mjs in a process of its own, for so long at most: a point that does
 * not end is an error that says what each of its threads was doing, not a silence.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const point = fileURLToPath(new URL('./growth-point.mjs', import.meta.url));
/** The largest points take a minute or two. */
const LIMIT_MS = 10 * 60_000;

const textOf = (path) => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '?';
  }
};

/** What each thread of a process does, where the system shows it: one that spins has state R and much time. */
export function threadsOf(pid) {
  const folder = `/proc/${pid}/task`;
  let threads;
  try {
    threads = readdirSync(folder);
  } catch {
    return 'its threads are not shown here';
  }
  return threads
    .map((thread) => {
      const stat = textOf(`${folder}/${thread}/stat`);
      // What follows the name, which may have spaces: state, …, utime and stime in ticks, 11 and 12 fields later.
      const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const seconds = (Number(fields[10]) + Number(fields[11])) / 100;
      const name = textOf(`${folder}/${thread}/comm`);
      return `${name} ${thread}: ${state}, ${seconds} s, waits in ${textOf(`${folder}/${thread}/wchan`)}`;
    })
    .join('\n');
}

/** What growth-point.mjs prints. */
export function runPoint(...args) {
  const words = args.map(String);
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [point, ...words], (error, stdout) => {
      clearTimeout(timer);
      if (error === null) resolve(JSON.parse(stdout));
      else reject(error);
    });
    const timer = setTimeout(() => {
      reject(
        new Error(
          `${words.join(' ')} has not ended within ${LIMIT_MS / 60_000} minutes:\n${threadsOf(child.pid)}`,
        ),
      );
      child.kill('SIGKILL');
    }, LIMIT_MS);
  });
}
