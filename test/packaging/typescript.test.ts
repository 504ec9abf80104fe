// The declarations of the packed package, as TypeScript's module resolutions find
// them. (attw and publint, which know more ways to get this wrong: npm run check:package.)
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { packageRoot } from '../support/internals';
import { attempt, installedProject, run, tool } from './support/project';

const tsc = join(dirname(createRequire(__filename).resolve('typescript/package.json')), 'bin', 'tsc');

const program = `
import { AtomicLog, type LogHandle, type Snapshot } from 'atomic-log';
const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10, schema: { at: 'f64', n: 'i64' } });
writer.append({ at: 1, n: 2n });
const snapshot: Snapshot<{ at: number; n: bigint }> = log.snapshot();
const handle: LogHandle<{ at: number; n: bigint }> = log.handle;
export const at: number = AtomicLog.attach(handle).latest()!.at + snapshot.at(0)!.at;
`;
const wrong = `import { AtomicLog } from 'atomic-log';\nexport const s: string = new AtomicLog({ retainedCapacity: 1 });\n`;

let project: string;
beforeAll(async () => {
  const files = ['cts', 'mts', 'ts'].flatMap((extension) => [
    [`right.${extension}`, program],
    [`wrong.${extension}`, wrong],
  ]);
  project = await installedProject(Object.fromEntries(files) as Record<string, string>);
});

for (const [module, resolution, extensions] of [
  ['node16', 'node16', ['cts', 'mts']],
  ['nodenext', 'nodenext', ['cts', 'mts']],
  ['esnext', 'bundler', ['ts']],
] as const) {
  test(`module ${module}, resolution ${resolution}, .${extensions.join(', .')}`, async () => {
    const options = ['--module', module, '--moduleResolution', resolution, '--strict', '--noEmit'];
    const libraries = ['--target', 'ES2022', '--lib', 'ES2022,ES2024.SharedMemory,ESNext.Disposable'];
    const node = ['--typeRoots', join(packageRoot, 'node_modules', '@types'), '--types', 'node'];
    const args = [tsc, ...options, ...libraries, ...node];
    const files = extensions.flatMap((extension) => [`right.${extension}`, `wrong.${extension}`]);
    const { output } = await attempt(project, process.execPath, [...args, ...files]);
    // The declarations are right, and they are used: the wrong programs are refused, nothing else.
    const errors = output.split('\n').filter((line) => line.includes('error TS'));
    const refused = new Set(errors.map((line) => line.replace(/\(.*/, '')));
    expect([...refused].sort()).toEqual(extensions.map((extension) => `wrong.${extension}`));
    expect(output).toContain('segmentCapacity');
  });
}

// Settings under which programs have no `dom`, or nothing of @types/node: the
// declarations bring what they need, and are checked themselves (skipLibCheck).
describe.each(['5.9', '6', '7'])('TypeScript %s', (version) => {
  const compiler = tool(`typescript-${version}/bin/tsc`);
  const declared = `
    import { AtomicLog, SegmentTail, Wal, WalReader } from 'atomic-log';
    export type Include = typeof import('atomic-log/include');
    export async function use(): Promise<string> {
      const { log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10, schema: { at: 'f64' } });
      using snapshot = log.snapshot();
      await using wal = await Wal.open('directory');
      for await (const batch of log.follow()) for (const chunk of batch.chunks()) chunk.column('at').at(0)?.toFixed();
      for await (const { offset } of SegmentTail.open('file').follow()) await wal.append(new Uint8Array(offset));
      for (const { data } of wal.entries()) data.subarray(1).fill(0);
      using reader = await WalReader.open('directory', { wait: true });
      return String(snapshot.length + reader.metadata.length);
    }
  `;
  const signals = `
    import { AtomicLog } from 'atomic-log';
    const log = new AtomicLog({ retainedCapacity: 100, segmentCapacity: 10 });
    export const follower = log.follow({ signal: new AbortController().signal });
    // @ts-expect-error -- no signal
    export const wrong = log.follow({ signal: { aborted: 1 } });
  `;
  const node = { types: ['node'], typeRoots: [join(packageRoot, 'node_modules', '@types')] };
  const nodenext = { module: 'nodenext', moduleResolution: 'nodenext' };
  const bundler = { module: 'esnext', moduleResolution: 'bundler' };

  let shared: string;
  beforeAll(async () => {
    shared = await installedProject({ 'use.mts': declared, 'use.cts': declared, 'signals.mts': signals });
  });

  test.each([
    [
      'without @types/node, without dom',
      { ...nodenext, target: 'es2022', lib: ['es2022'], types: [] },
      'use',
    ],
    [
      'without @types/node, with dom',
      { ...bundler, target: 'es2022', lib: ['es2022', 'dom'], types: [] },
      '*',
    ],
    ['with both', { ...nodenext, target: 'esnext', lib: ['esnext', 'dom'], ...node }, '*'],
  ])('%s', async (name, settings, files) => {
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: false, ...settings };
    const config = `${name.replace(/\W+/g, '-')}.json`;
    const include = [`${files}.mts`, `${files}.cts`];
    writeFileSync(join(shared, config), JSON.stringify({ compilerOptions, include }));
    expect(await run(shared, process.execPath, [compiler, '-p', config])).toBe('');
  });
});
