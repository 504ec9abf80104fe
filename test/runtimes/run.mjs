// Runs the jest suite on every supported runtime, with the prebuilt binary for it
// (npm run prebuild:all): `npm run test:runtimes`. Fails when any test fails that
// test/support/runtime.ts does not skip.
//
// Whole runs are kept in results.json, and the table in docs/runtimes.md is made from
// that: `-- --only node26` renews one row, `-- test/threads` none.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { buildOtherAddon, otherAddons } from '../support/other-addons.cjs';
import { missing } from '../../scripts/prebuild/missing.mjs';
import { targets } from '../../scripts/prebuild/targets.mjs';
import { isInstalled } from './emulated.mjs';
import { install, pinOf, runtimes } from './install.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const outputs = join(here, 'results');
const results = join(here, 'results.json');
const page = join(root, 'docs', 'runtimes.md');
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const differences = JSON.parse(readFileSync(join(here, 'differences.json'), 'utf8'));

/** A runtime that hangs must not hang the command; a run takes four minutes, more on a busy machine, an emulated one more yet. */
const RUN_MS_MAX = 40 * 60_000;
const EMULATED_RUN_MS_MAX = 120 * 60_000;
/** A test there, which takes a few seconds here. */
const EMULATED_TEST_MS_MAX = 10 * 60_000;
const LOG_LINES = 60;

const names = runtimes.map(({ name }) => name);
const program = new Command('npm run test:runtimes --')
  .description('runs the jest suite on every supported runtime (Linux x64)')
  .argument('[jest...]', 'arguments for jest, such as files')
  .option('--only <names>', `some of ${names.join(',')}`, (list) => list.split(','))
  .parse();
const { only } = program.opts();

if (process.platform !== 'linux' || process.arch !== 'x64') {
  program.error('the runtimes are pinned for Linux x64 only', { exitCode: 2 });
}
const unknown = only?.find((name) => !names.includes(name));
if (unknown !== undefined) {
  program.error(`no runtime ${unknown}; there are ${names.join(', ')}`, { exitCode: 2 });
}

/**
 * Builds what tests would build themselves: the runtimes come without headers, and all shall load the same
 * binaries.
 */
function buildAddons() {
  for (const directory of otherAddons) buildOtherAddon(directory);
  for (const name of ['faults', 'simulated']) {
    execFileSync(process.execPath, [`test/${name}/build.mjs`], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
}

/** The prebuilt binary that the runtime loads. */
function binaryOf({ target }) {
  const found = targets.find(({ name }) => name === target);
  if (missing([found]).length > 0) {
    program.error(`${found.file} is missing or old: npm run prebuild:all -- ${target}`, { exitCode: 2 });
  }
  return join(root, 'prebuilds', found.file);
}

/** How to run a program of another machine on this one. */
function emulatedCommand({ name, flags, emulation }, binary, args) {
  const { launcher, preload, leavesOut, skips } = emulation;
  // What tests start goes through the emulator, too.
  const script = join(outputs, `${name}.sh`);
  const words = [...launcher, binary].map((word) => `'${word}'`).join(' ');
  writeFileSync(script, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  const [first, ...rest] = [...launcher, binary];
  const ignored = leavesOut.flatMap((pattern) => ['--testPathIgnorePatterns', pattern]);
  const inEmulator = ['--runInBand', `--testTimeout=${EMULATED_TEST_MS_MAX}`, ...ignored];
  if (skips.length > 0) inEmulator.push(`--testNamePattern=^(?!.*(${skips.join('|')}))`);
  return {
    program: first,
    args: [...rest, ...flags, ...preload, join(here, 'emulated.cjs'), ...args, ...inEmulator],
    variables: {
      ...emulation.variables(),
      ATOMIC_LOG_PROGRAM: launcher.length > 0 && binary.endsWith('node') ? script : '',
    },
    timeout: EMULATED_RUN_MS_MAX,
  };
}

/** Runs the suite; returns what the table says of it. */
function run(runtime) {
  const addon = binaryOf(runtime);
  const binary = install(runtime);
  const report = join(outputs, `${runtime.name}.json`);
  const log = join(outputs, `${runtime.name}.log`);
  rmSync(report, { force: true });
  const output = openSync(log, 'w');
  const args = [jest, '--json', `--outputFile=${report}`, ...program.args];
  const command = runtime.emulation
    ? emulatedCommand(runtime, binary, args)
    : { program: binary, args: [...runtime.flags, ...args], variables: {}, timeout: RUN_MS_MAX };
  const { signal, status } = spawnSync(command.program, command.args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ATOMIC_LOG_PREBUILD: addon, ...command.variables },
    stdio: ['ignore', output, output],
    timeout: command.timeout,
    killSignal: 'SIGKILL',
  });
  closeSync(output);

  const row = {
    title: runtime.title,
    version: pinOf(runtime).version,
    target: runtime.target,
    passed: 0,
    skipped: 0,
    failed: 0,
    problem: '',
  };
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    row.passed = counts.numPassedTests;
    row.skipped = counts.numPendingTests;
    row.failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites;
  } catch {
    row.problem = 'no result';
  }
  if (signal !== null) row.problem = `ended by ${signal}`;
  else if (status !== 0 && row.failed === 0) row.problem ||= `exit status ${status}`;
  if (row.failed > 0 || row.problem !== '') {
    console.log(readFileSync(log, 'utf8').split('\n').slice(-LOG_LINES).join('\n'));
    console.log(`the whole of it: ${log}`);
  }
  return row;
}

function line({ title, version, target, passed, skipped, failed, problem }) {
  const cells = [
    title,
    version,
    target ?? 'built from source',
    passed,
    skipped,
    problem === '' ? failed : `${failed}, ${problem}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What users must know, and why tests are skipped; of emulated runtimes that were run. */
function notes(rows) {
  // The first of a family gives it its name.
  const titles = Object.fromEntries([...runtimes].reverse().map(({ family, title }) => [family, title]));
  const emulated = runtimes.filter(
    ({ title, emulation }) => emulation !== undefined && rows.some((row) => row.title === title),
  );
  return [
    ...differences.map(({ runtime, note }) => `- **${titles[runtime]}**: ${note}.`),
    // Several versions of one runtime have one note.
    ...new Set(emulated.map(({ title, emulation }) => `- **${title}**: ${emulation.note}.`)),
  ];
}

/** The binaries that no row is about. */
function notRun(rows) {
  const names = targets.map(({ name }) => name).filter((name) => rows.every(({ target }) => target !== name));
  return names.length === 0
    ? 'Every prebuilt binary has a row.'
    : `Prebuilt binaries without a row were built and are checked as files (format, exports, imports), but the suite was not run with them: ${names.join(', ')}.`;
}

async function table(rows) {
  const lines = [
    '| runtime | version | binary | passed | skipped | failed |',
    '| - | - | - | -: | -: | -: |',
    ...rows.map(line),
    '',
    notRun(rows),
    '',
    ...notes(rows),
  ];
  return format(lines.join('\n'), { ...(await resolveConfig(page)), parser: 'markdown' });
}

function writePage(text) {
  const marked = /(<!-- runtimes -->\n\n)[^]*?(\n<!-- \/runtimes -->)/;
  const old = readFileSync(page, 'utf8');
  if (!marked.test(old)) throw new Error('docs/runtimes.md has lost its <!-- runtimes --> markers');
  writeFileSync(
    page,
    old.replace(marked, (_, before, after) => before + text + after),
  );
}

mkdirSync(outputs, { recursive: true });
buildAddons();
const whole = program.args.length === 0;
const made = {};
let isGood = true;
for (const runtime of runtimes.filter(({ name }) => only?.includes(name) ?? true)) {
  console.log(`${runtime.title} ${pinOf(runtime).version}`);
  if (!isInstalled(runtime)) {
    console.log(`  left out: it needs Debian's ${runtime.emulation.packages}`);
    continue;
  }
  const row = run(runtime);
  console.log(`  ${row.passed} passed, ${row.skipped} skipped, ${row.failed} failed ${row.problem}`);
  made[runtime.name] = row;
  isGood &&= row.failed === 0 && row.problem === '';
}
// Read now: another run may have made rows meanwhile.
const kept = whole && existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : {};
Object.assign(kept, made);
const rows = names.flatMap((name) => kept[name] ?? []);
const text = await table(rows);
console.log(`\n${text}`);
if (whole) {
  const inOrder = Object.fromEntries(names.filter((name) => name in kept).map((name) => [name, kept[name]]));
  writeFileSync(results, `${JSON.stringify(inOrder, null, 2)}\n`);
  writePage(text);
}
process.exitCode = isGood ? 0 : 1;
