// The boundaries between the parts of the source.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const root = join(__dirname, '..', '..', '..');

function files(directory: string): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory() ? files(path) : [path];
  });
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the core knows nothing of Node', () => {
  const core = files('src-native/core');
  expect(core.length).toBeGreaterThan(10);
  const offenders = core.filter((path) =>
    /#include\s*[<"](napi|node_api|js_native_api|uv|v8|node|binding\/)/.test(read(path)),
  );
  expect(offenders).toEqual([]);
});

test('only platform/, and cpu.cc to know the processor, include headers of an operating system', () => {
  const system = /#include\s*<(windows\.h|unistd\.h|dlfcn\.h|sys\/|pthread\.h|linux\/)/;
  const parts = ['core', 'binding', 'include'].flatMap((part) => files(`src-native/${part}`));
  const offenders = parts.filter(
    (path) =>
      !path.startsWith('src-native/core/platform/') &&
      path !== 'src-native/core/base/cpu.cc' &&
      system.test(read(path)),
  );
  expect(offenders).toEqual([]);
});

test('only platform/thread starts threads: std::thread ends the process when it cannot', () => {
  const starts = /std::(thread|jthread|async)\b|pthread_create|_beginthreadex|CreateThread/;
  const code = (path: string): string => read(path).replace(/\/\/.*/g, '');
  const starters = ['core', 'binding', 'include']
    .flatMap((part) => files(`src-native/${part}`))
    .filter((path) => starts.test(code(path)));
  expect(starters.sort()).toEqual([
    'src-native/core/platform/thread_posix.cc',
    'src-native/core/platform/thread_windows.cc',
  ]);
});

test('no wait and no decision of the core depends on the clock of the day', () => {
  const clocks = /system_clock|condition_variable|gettimeofday|CLOCK_REALTIME|\btime\(/;
  const offenders = files('src-native/core').filter(
    (path) =>
      !/platform\/condition(_windows)?\./.test(path) && clocks.test(read(path).replace(/\/\/.*/g, '')),
  );
  expect(offenders).toEqual([]);
});

test('the version that the code says is the version of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(read('lib/base/runtime.ts')).toContain(`version = '${version}';`);
});

test('only native.ts loads the addon', () => {
  const loaders = files('lib').filter((path) => /\.node['"`]|process\.dlopen/.test(read(path)));
  expect(loaders).toEqual(['lib/base/native.ts']);
});

/** What each room may import from, besides itself; in the order from the ground up. */
const rooms: Record<string, readonly string[]> = {
  'lib/base': [],
  'lib/memory': ['lib/base'],
  'lib/durable': ['lib/base'],
  'lib/durable/segment': ['lib/base', 'lib/durable'],
  'lib/durable/wal': ['lib/base', 'lib/durable'],
  'lib/replication': ['lib/base', 'lib/durable', 'lib/durable/wal'],
  'lib/processes': ['lib/base', 'lib/memory', 'lib/durable'],
  'lib/journal': ['lib/base', 'lib/memory', 'lib/processes', 'lib/durable', 'lib/durable/wal'],
  'lib/cli': [
    'lib/base',
    'lib/durable',
    'lib/durable/segment',
    'lib/durable/wal',
    'lib/memory',
    'lib/processes',
  ],
};

test('lib/ has the rooms that are known, and its files are in them', () => {
  const folders = new Set(files('lib').map((path) => dirname(path)));
  expect([...folders].sort()).toEqual(['lib', ...Object.keys(rooms)].sort());
  expect(files('lib').filter((path) => dirname(path) === 'lib')).toEqual(['lib/index.ts']);
});

test('each file of lib/ begins with what its job is', () => {
  const mute = files('lib').filter((path) => !/^(#!.*\n)?(\/\*\*|\/\/) ?\S?/.test(read(path)));
  expect(mute).toEqual([]);
});

test('a room imports only from those below it', () => {
  const specifiers = /(?:from|import|require)\s*\(?\s*'(\.[^']+)'/g;
  const offenders = files('lib').flatMap((path) => {
    const room = dirname(path);
    const allowed = room === 'lib' ? Object.keys(rooms) : [room, 'types', ...rooms[room]!];
    return [...read(path).matchAll(specifiers)]
      .map(([, specifier]) => posix.join(room, specifier!))
      .filter((target) => !allowed.includes(dirname(target)))
      .map((target) => `${path} imports ${target}`);
  });
  expect(offenders).toEqual([]);
});

test('the rooms of the core include only from those below them', () => {
  const below: Record<string, readonly string[]> = {
    base: [],
    platform: ['base'],
    memory: ['base', 'platform'],
    abi: ['base', 'platform', 'memory'],
    shared_memory: ['base', 'platform', 'memory'],
    durable: ['base', 'platform'],
    'durable/segment': ['base', 'platform', 'durable'],
    'durable/wal': ['base', 'platform', 'durable'],
  };
  const core = 'src-native/core/';
  const offenders = files('src-native/core').flatMap((path) => {
    const room = dirname(path).slice(core.length);
    const allowed = [room, ...(below[room] ?? [])];
    return [...read(path).matchAll(/#include "core\/([^"]+)"/g)]
      .map(([, header]) => header!)
      .filter((header) => !allowed.includes(dirname(header)))
      .map((header) => `${path} includes ${header}`);
  });
  expect(offenders).toEqual([]);
});

test('each unit test is in the room of what it tests', () => {
  const places = new Set(files('test/unit').map((path) => dirname(path).replace('test/unit', 'lib')));
  const known = [...Object.keys(rooms), 'lib/documents', 'lib/scripts'];
  expect([...places].filter((place) => !known.includes(place))).toEqual([]);
});

test('binding.gyp lists every source, and nothing else', () => {
  const listed = [...read('binding.gyp').matchAll(/"(src-native\/[^"]+\.cc)"/g)].map(([, path]) => path!);
  const present = [...files('src-native/core'), ...files('src-native/binding')].filter((path) =>
    path.endsWith('.cc'),
  );
  expect(listed.sort()).toEqual(present.sort());
});

test('types/native.d.ts names every function of the addon', () => {
  const contract = read('types/native.d.ts');
  const defined = files('src-native/binding')
    .filter((path) => path.endsWith('.cc'))
    .flatMap((path) => [...read(path).matchAll(/(?:define|add_function|set)\(\s*env,\s*\w+,\s*"(\w+)"/g)])
    .map(([, name]) => name!);
  expect(defined.length).toBeGreaterThan(20);
  expect(defined.filter((name) => !new RegExp(`\\b${name}\\b`).test(contract))).toEqual([]);
});
