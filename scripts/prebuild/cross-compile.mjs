// Builds the addon for one target with zig, from what binding.gyp says.
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inParallel } from './in-parallel.mjs';
import { madeFrom } from './made-from.mjs';
import { importsFor } from './node-api-imports.mjs';
import { MACOS } from './targets.mjs';

const execute = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

/** What Node looks for in an addon; nothing else is visible. */
const ENTRIES = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** For g++, which needs to be told what zig does by itself. */
const GNU_ONLY = ['-static-libstdc++', '-static-libgcc', '-Wl,--exclude-libs,ALL'];

/** The addon's target of binding.gyp, as gyp evaluates it. */
function settingsFor({ system, architecture }) {
  const python = process.env.PYTHON ?? 'python3';
  const output = execFileSync(python, [join(here, 'settings.py'), root, system, architecture], {
    encoding: 'utf8',
  });
  const settings = JSON.parse(output);
  const macos = settings.xcode_settings?.MACOSX_DEPLOYMENT_TARGET;
  if (macos !== MACOS) throw new Error(`binding.gyp is for macOS ${macos}, targets.mjs for ${MACOS}`);
  return settings;
}

/** Runs zig in the root folder; passes on what it has to say. */
async function runZig({ zig, cache }, args) {
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache };
  const { stderr } = await execute(zig, args, { cwd: root, env }).catch((error) => {
    throw new Error(error.stderr || error.message);
  });
  // It gives its own start files flags that mean nothing to an assembler.
  const said = stderr
    .split('\n')
    .filter((line) => line !== '' && !line.includes('unused during compilation'));
  if (said.length > 0) console.error(said.join('\n'));
}

function linkFlags({ system }, { ldflags = [], libraries = [] }, output) {
  if (system === 'mac') return ['-Wl,-undefined,dynamic_lookup', `-Wl,-install_name,@rpath/atomic-log.node`];
  if (system === 'win') return [];
  const visible = join(output, 'visible.map');
  writeFileSync(visible, `{ global: ${ENTRIES.join('; ')}; local: *; };\n`);
  const flags = ldflags.filter((flag) => !GNU_ONLY.includes(flag));
  return [...flags, ...libraries, `-Wl,--version-script=${visible}`];
}

/** zig's linker leaves local symbols in Mach-O files. This takes them out, and signs the file again. */
function strip(file) {
  try {
    execFileSync('llvm-strip', ['--discard-all', file], { stdio: 'inherit' });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new Error('binaries for macOS are stripped with LLVM: apt-get install llvm', { cause: error });
  }
}

/** What goes into a binary, besides the flags. */
const SOURCES = [
  'src-native',
  'node_modules/node-addon-api',
  'node_modules/.zstd/node_modules/zstd-napi/deps/zstd/lib',
  'scripts/prebuild',
];

/** Puts a file in the place of another: some process may have that one loaded, it is never written into. */
function replace(place, file) {
  mkdirSync(dirname(place), { recursive: true });
  copyFileSync(file, `${place}.new`);
  renameSync(`${place}.new`, place);
}

/**
 * Builds the addon, or takes what was built from the same before.
 *
 * @param {{ built: string }} tools `built`: where binaries are kept by what they are made from
 * @param {(done: number, all: number) => void} onProgress files that are compiled
 * @returns the path of the binary in `prebuilds`, and whether it was there already
 */
export async function crossCompile(target, tools, onProgress) {
  const settings = settingsFor(target);
  // Without its sources an addon is built without compression, which is for users only.
  if (!settings.defines?.includes('ATOMIC_LOG_HAS_ZSTD')) throw new Error('the sources of zstd are missing');
  const place = join(tools.prebuilds, target.file);
  const kept = join(tools.built, `${target.name}-${madeFrom(root, SOURCES, { target, settings })}.node`);
  const isKept = existsSync(kept);
  if (!isKept) {
    // Not in build/, which node-gyp empties.
    const output = mkdtempSync(join(tmpdir(), `atomic-log-${target.name}-`));
    try {
      replace(kept, await compile(target, settings, tools, output, onProgress));
    } finally {
      rmSync(output, { recursive: true, force: true });
    }
  }
  replace(place, kept);
  return { place, isKept };
}

async function compile(target, settings, tools, output, onProgress) {
  const { headers } = tools;
  const { defines = [], cflags = [], cflags_c = [], cflags_cc = [] } = settings;
  const includes = [...(settings.include_dirs ?? []), join(headers, 'include')];
  const sources = [...settings.sources];
  if (target.system === 'win') {
    const imports = join(output, 'node_api_imports.S');
    writeFileSync(imports, importsFor(target.architecture, join(headers, 'def', 'node_api.def')));
    sources.push(imports, relative(root, join(here, 'host_windows.c')));
  }
  // The functions are not imported, but defined by the jumps to them.
  if (target.system === 'win') defines.push('NAPI_EXTERN=');
  const common = [
    ...['-target', target.triple],
    ...cflags,
    ...defines.map((define) => `-D${define}`),
    ...includes.map((path) => `-I${path}`),
    // Sections of their own let the linker drop what no one uses.
    ...['-ffunction-sections', '-fdata-sections'],
    // The same bytes wherever the checkout and the headers are.
    ...[root, headers].map((path, i) => `-ffile-prefix-map=${path}=/${i}`),
  ];
  const objects = sources.map((source, i) => join(output, `${i}-${source.replace(/.*\//, '')}.o`));
  let done = 0;
  onProgress(done, sources.length);
  await inParallel(
    sources.map((source, i) => async () => {
      const compiler = source.endsWith('.cc') ? ['c++', ...cflags_cc] : ['cc', ...cflags_c];
      await runZig(tools, [...compiler, ...common, '-c', source, '-o', objects[i]]);
      onProgress(++done, sources.length);
    }),
  );
  const made = join(output, 'atomic_log.node');
  const link = ['-shared', '-s', '-Wl,--gc-sections', ...linkFlags(target, settings, output)];
  await runZig(tools, ['c++', '-target', target.triple, ...link, ...objects, '-o', made]);
  if (target.system === 'mac') strip(made);
  return made;
}
