// Each prebuilt binary, as a file: it loads on the systems that it is for, and
// shows and asks for nothing that it need not.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { runsOnMusl } from '../../lib/base/runtime';
import { binaries, prebuilds } from './support/binaries';
import { inspectElf, inspectMach, inspectPe, type Binary } from './support/inspect';
import { expectReport, installedProject, run } from './support/project';

const BYTES_MAX = 1.5 * 1024 * 1024;
const ENTRIES = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

const files = binaries();
const of = (platform: string): string[] => files.filter((file) => file.startsWith(platform));

const isNodeApi = (name: string): boolean => /^(napi|node_api)_/.test(name);

/**
 * What the libraries that zig links in export by themselves, and its linkers cannot be told not to:
 * on Windows the unwinder, which disturbs no one, because a library's exports are found by those only
 * that name the library; on macOS the operators new and delete, which any C++ library shares there.
 */
const exportedByZig = [
  ['win32', /^(_Unwind_|unw_|_GCC_specific_handler$)/],
  ['darwin', /^(_Z[nd][al]|_Znw|__dso_handle$|_mh_dylib_header$)/],
] as const;

/** What every binary has in common, whatever its format. */
function expectAddon(file: string, { machine, imports, exports }: Binary): void {
  expect(machine).toBe(file.includes('arm64') ? 'aarch64' : 'x86_64');
  const own = exports.filter(
    (name) => !exportedByZig.some(([platform, names]) => file.startsWith(platform) && names.test(name)),
  );
  expect(own.sort()).toEqual(ENTRIES);
  // No C++: its library is linked in. No libuv: Bun and Deno have none. No V8.
  expect(imports.filter((name) => /^(_Z|\?|uv_)|v8|GLIBCXX|CXXABI/.test(name))).toEqual([]);
  expect(statSync(join(prebuilds, file)).size).toBeLessThanOrEqual(BYTES_MAX);
}

test('the binary of this machine is there', () => {
  const tag = process.platform !== 'linux' ? '' : runsOnMusl() ? '.musl' : '.glibc';
  expect(files).toContain(`${process.platform}-${process.arch}/atomic-log${tag}.node`);
});

// Where the binaries of all machines are built, none may be missing.
(process.env.ATOMIC_LOG_ALL_TARGETS === '1' ? test : test.skip)('all eight are there', () => {
  const linux = ['atomic-log.glibc.node', 'atomic-log.musl.node'];
  const expected = ['arm64', 'x64'].flatMap((architecture) => [
    `darwin-${architecture}/atomic-log.node`,
    ...linux.map((name) => `linux-${architecture}/${name}`),
    `win32-${architecture}/atomic-log.node`,
  ]);
  expect([...files].sort()).toEqual(expected.sort());
});

// A list may be empty where only this machine's binary is built.
const each = (platform: string): ((name: string, check: (file: string) => void) => void) =>
  of(platform).length > 0 ? test.each(of(platform)) : test.skip.each(['none is built']);

each('linux')('%s', (file) => {
  const elf = inspectElf(join(prebuilds, file));
  expectAddon(file, elf);
  expect(elf.format).toMatch(/^elf64-/);
  const isMusl = file.includes('musl');
  const libraries = isMusl
    ? /^libc\.so$/
    : /^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux-(x86-64|aarch64)\.so\.[12])$/;
  expect(elf.libraries.filter((library) => !libraries.test(library))).toEqual([]);
  // Functions with a version are glibc's; without one, the program's that loads it.
  if (!isMusl) expect(elf.imports.filter((name) => !name.includes('@') && !isNodeApi(name))).toEqual([]);
  const newest = elf.glibcVersions.map((version) => Number(version.split('.')[1]));
  expect(newest.length > 0).toBe(!isMusl);
  expect(Math.max(0, ...newest)).toBeLessThanOrEqual(17);
  expect(elf.stackFlags).toBe('RW');
  expect(elf.sections.filter((name) => /^\.(symtab|strtab|debug)/.test(name))).toEqual([]);
});

each('darwin')('%s', (file) => {
  const mach = inspectMach(join(prebuilds, file));
  expectAddon(file, mach);
  expect(mach.format).toMatch(/^Mach-O /);
  expect(mach.libraries).toEqual(['/usr/lib/libSystem.B.dylib']);
  expect(mach.systemVersion).toBe('11.0');
  expect(mach.localSymbols).toEqual([]);
  // The system kills a process that loads code for Apple silicon without a signature.
  expect(mach.isSigned || !file.includes('arm64')).toBe(true);
});

each('win32')('%s', (file) => {
  const pe = inspectPe(join(prebuilds, file));
  expectAddon(file, pe);
  expect(pe.format).toMatch(/^COFF-/);
  // Not node.exe: an Electron app has another name.
  const system = /^(kernel32|advapi32|ntdll|bcrypt|api-ms-win-(core|crt)-.*|ucrtbase)\.dll$/i;
  expect(pe.libraries.filter((library) => !system.test(library))).toEqual([]);
  expect(pe.imports.filter(isNodeApi)).toEqual([]);
  for (const protection of ['DYNAMIC_BASE', 'NX_COMPAT', 'HIGH_ENTROPY_VA']) {
    expect(pe.characteristics).toContain(`IMAGE_DLL_CHARACTERISTICS_${protection}`);
  }
  expect(pe.sections.filter((name) => name.startsWith('.debug'))).toEqual([]);
});

/** qemu's user mode, which stands in for older processors; Debian: qemu-user. */
const emulator = '/usr/bin/qemu-x86_64';
const onOldProcessors = existsSync(emulator) && process.arch === 'x64' ? test.each : test.skip.each;

// Core 2 has no SSE 4, Westmere no AVX: a stray instruction ends the process there.
onOldProcessors(['core2duo', 'Westmere'])('on a processor such as %s', async (processor) => {
  const project = await installedProject();
  for (const program of ['report.cjs', 'durable.cjs']) {
    const args = ['-cpu', processor, process.execPath, program];
    expectReport(await run(project, emulator, args), project);
  }
});
