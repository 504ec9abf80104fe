// The numbers of lib/base/codes.ts are those of the C++ headers, and stay what they
// are when another is put between them.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageRoot } from '../../support/internals';

const known = readFileSync(join(packageRoot, 'lib/base/codes.ts'), 'utf8');

let headers: string;
beforeEach(() => {
  headers = mkdtempSync(join(tmpdir(), 'atomic-log-codes-'));
  for (const part of ['binding', 'core']) {
    cpSync(join(packageRoot, 'src-native', part), join(headers, part), { recursive: true });
  }
});
afterEach(() => rmSync(headers, { recursive: true, force: true }));

function build(flag: '--check' | '--print', directory = headers): { text: string; refusal: string } {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/build-codes.mjs', flag, `--headers=${directory}`],
    { cwd: packageRoot, encoding: 'utf8' },
  );
  return { text: stdout, refusal: stderr };
}

function change(header: string, from: string, to: string): void {
  const path = join(headers, header);
  const text = readFileSync(path, 'utf8');
  expect(text.split(from)).toHaveLength(2);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}

const OUTCOME = 'core/durable/outcome.h';
const CODES = 'binding/codes.h';

test('lib/base/codes.ts is what the headers say', () => {
  expect(build('--check', join(packageRoot, 'src-native'))).toEqual({ text: '', refusal: '' });
  change(OUTCOME, 'kNoLsn = 28', 'kNoLsn = 999');
  expect(build('--check').refusal).toMatch(/run "npm run build:codes"/);
});

test('one more in the middle changes no other', () => {
  change(OUTCOME, 'kFormat = 3,', 'kFormat = 3,\n    kAnother = 77,');
  const { text } = build('--print');
  expect(text).not.toBe(known);
  expect(text.replace('  another: 77,\n', '')).toBe(known);
});

test.each([
  ['without a value', OUTCOME, 'kFormat = 3,', 'kFormat = 3,\n    kAnother,', /Outcome needs a value/],
  ['with a value that another has', OUTCOME, 'kFormat = 3,', 'kFormat = 2,', /Outcome has the value 2 twice/],
  [
    'that leaves a gap between positions',
    CODES,
    'enum class FoundField : uint8_t {',
    'enum class FoundField : uint8_t {\n  kNew = 7,',
    /positions of FoundField/,
  ],
  [
    'that kEnd does not count',
    CODES,
    'kFirstIndex = 0, kEndIndex = 1,',
    'kFirstIndex = 0, kEndIndex = 1, kNew = 3,',
    /BoundsField has|positions of BoundsField|BoundsField::kEnd/,
  ],
])('a number %s is refused', (_, header, from, to, expected) => {
  change(header, from, to);
  expect(build('--print')).toEqual({ text: '', refusal: expect.stringMatching(expected) as string });
});

test('what is not in its header any more is missed', () => {
  change(OUTCOME, 'enum class [[nodiscard]] Outcome', 'enum class [[nodiscard]] Outcomes');
  expect(build('--print').refusal).toMatch(/no enum class Outcome/);
  change('core/durable/record_format.h', 'constexpr uint32_t kHeadBytes', 'constexpr uint32_t kHeadSize');
  change(OUTCOME, 'Outcomes', 'Outcome');
  expect(build('--print').refusal).toMatch(/no constant kHeadBytes/);
});
