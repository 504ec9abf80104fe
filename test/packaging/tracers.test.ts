// Tools that trace which files a program needs, and take only those along: the binary
// must be one of them, although no `require` names it. What they took is run in a
// folder that has nothing else.
import { cpSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { binaries } from './support/binaries';
import { expectReport, installedProject, packaging, run, tool } from './support/project';

const emptyFolder = (): string => realpathSync(mkdtempSync(join(packaging.folder, 'deployed-')));

describe('@vercel/nft, as Next.js (standalone) and Vercel use it', () => {
  const trace = `
    const { nodeFileTrace } = require(process.argv[1]);
    nodeFileTrace([process.argv[2]], { base: process.cwd() }).then(({ fileList, warnings }) => {
      if (warnings.size > 0) throw [...warnings][0];
      console.log(JSON.stringify([...fileList]));
    });
  `;

  test.each(['report.cjs', 'report.mjs'])('%s', async (program) => {
    const project = await installedProject();
    const output = await run(project, process.execPath, ['-e', trace, tool('@vercel/nft'), program]);
    const files = JSON.parse(output) as string[];
    // Every binary: what is traced on one system may run on another.
    const traced = files.filter((file) => file.endsWith('.node'));
    expect(traced.sort()).toEqual(
      binaries()
        .filter((file) => file.endsWith('.node'))
        .map((file) => `node_modules/atomic-log/prebuilds/${file}`)
        .sort(),
    );
    const folder = emptyFolder();
    for (const file of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      cpSync(join(project, file), join(folder, file));
    }
    // What is traced is the library and the binaries: no sources, no types.
    expect(files.filter((file) => /src-native|types|docs/.test(file))).toEqual([]);
    expectReport(await run(folder, process.execPath, [program]), folder);
  });
});

describe('@vercel/ncc', () => {
  test.each(['report.cjs', 'single.mjs'])('%s', async (program) => {
    const project = await installedProject();
    const ncc = tool('@vercel/ncc/dist/ncc/cli.js');
    await run(project, process.execPath, [ncc, 'build', program, '--out', 'out', '--quiet']);
    const folder = emptyFolder();
    cpSync(join(project, 'out'), folder, { recursive: true });
    const bundle = program.replace(/^[^.]*/, 'index');
    expectReport(await run(folder, process.execPath, [bundle]), folder);
  });
});
