// The example: an addon whose native thread publishes at full rate to workers.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { packageRoot } from '../support/internals';
import { testExternal } from '../support/mapping';
import { buildOtherAddon } from '../support/other-addons.cjs';

const binary = buildOtherAddon('examples/native-producer');

// Needs a C++ compiler, and a log of ordinary memory: a shared log has no native handle.
(binary === undefined ? test.skip : testExternal)(
  'the example publishes at its rate, and every record is right',
  () => {
    // It ends with 1 when one is wrong.
    const output = execFileSync(process.execPath, [join('examples', 'native-producer', 'main.mjs'), '2'], {
      cwd: packageRoot,
      encoding: 'utf8',
    });
    expect(output).toMatch(/all records are right/);
    expect(output.match(/0 wrong/g)).toHaveLength(2);
  },
);

test('the include folder can be asked for', () => {
  const print = (script: string, ...flags: string[]): string =>
    execFileSync(process.execPath, [...flags, '-p', script], { cwd: packageRoot, encoding: 'utf8' }).trim();
  // As binding.gyp does it.
  expect(print(`require('atomic-log/include')`)).toBe(join(packageRoot, 'src-native', 'include'));
});
