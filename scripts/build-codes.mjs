// Writes lib/base/codes.ts: the numbers that C++ and TypeScript both know, read from
// the C++ headers, which are the only place where they are written.
//
//   node scripts/build-codes.mjs            writes the file
//   node scripts/build-codes.mjs --check    fails when the file is another one
//   node scripts/build-codes.mjs --print    prints it
//   ... --headers=DIRECTORY                 reads the headers there, not in src-native
//
// An enumerator without a value, one value twice, or positions with a gap are
// refused: then one more in the middle changes no other.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

/** Each header, the enums of it, and its constants, with another name where theirs says too little. */
const sources = [
  ['core/base/status.h', ['Status'], {}],
  ['core/base/crc32.h', ['Crc32Kind'], {}],
  ['core/memory/column_kind.h', ['ColumnKind'], {}],
  ['core/memory/published_word.h', [], { kCountMax: 'COUNT_MASK' }],
  [
    'core/memory/block_layout.h',
    [],
    {
      kCacheLineBytes: 'CACHE_LINE_BYTES',
      kBlockBytesMax: 'BLOCK_BYTES_MAX',
      kFieldCountMax: 'FIELDS_MAX',
      kDescriptorBytesMax: 'DESCRIPTOR_BYTES_MAX',
      kDataBytesMax: 'COLUMN_DATA_BYTES_MAX',
    },
  ],
  ['core/memory/rolling_log.h', [], { kRetainedSegmentsMax: 'RETAINED_SEGMENTS_MAX' }],
  ['core/memory/reader_list.h', [], { kNative: 'NATIVE_THREAD' }],
  ['core/memory/blocking_wait.h', ['Arrival'], {}],
  [
    'core/shared_memory/shared_format.h',
    ['Mismatch'],
    { kReadersMaxMax: 'READERS_MAX_MAX', kSegmentsMax: 'SHARED_SEGMENTS_MAX' },
  ],
  ['core/shared_memory/shared_log.h', ['SharedOutcome', 'SharedOpenMode'], {}],
  ['core/platform/io_status.h', ['IoCode'], {}],
  ['core/durable/outcome.h', ['Outcome'], {}],
  [
    'core/durable/record_format.h',
    [],
    { kHeadBytes: 'HEAD_BYTES', kCompressedBit: 'COMPRESSED_BIT', kBodyBytesMax: 'BODY_BYTES_MAX' },
  ],
  ['core/durable/compression.h', ['Compression'], { kCompressedBytesMin: 'COMPRESSED_BYTES_MIN' }],
  ['core/durable/segment/segment_reader.h', ['ReadHint'], {}],
  [
    'core/durable/wal/wal_format.h',
    [],
    {
      kWalMetadataBytesMax: 'WAL_METADATA_BYTES_MAX',
      kWalBatchItemBytes: 'WAL_BATCH_ITEM_BYTES',
      kWalBodyBytesMax: 'WAL_BODY_BYTES_MAX',
      kWalFileBytesMin: 'WAL_FILE_BYTES_MIN',
      kWalFileBytesMax: 'WAL_FILE_BYTES_MAX',
      kWalLsnMax: 'WAL_LSN_MAX',
      kWalHeadBytes: 'WAL_HEAD_BYTES',
      kWalAlignment: 'WAL_ALIGNMENT',
      kWalControlBytes: 'WAL_CONTROL_BYTES',
    },
  ],
  ['core/durable/wal/wal_cursors.h', ['WalCursorVerdict'], {}],
  ['core/durable/wal/wal_log.h', ['WalLevel'], {}],
  ['core/durable/wal/wal_writer.h', [], { kWalSecuredEntryBytesMax: 'WAL_SECURED_ENTRY_BYTES_MAX' }],
  ['core/durable/wal/wal_rules.h', ['WalRow'], {}],
  ['binding/functions.h', [], { kNoSlot: 'NO_SLOT' }],
  [
    'binding/codes.h',
    [
      'StagedCell',
      'SegmentField',
      'BoundsField',
      'FoundField',
      'CompletionField',
      'WalCounter',
      'SecuredField',
      'WalShownField',
      'EntryField',
      'PastField',
      'FileField',
      'FilesAfterField',
      'BackupStep',
    ],
    {},
  ],
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'lib', 'base', 'codes.ts');
const headersArgument = process.argv.find((argument) => argument.startsWith('--headers='));
const headers = headersArgument?.slice('--headers='.length) ?? join(root, 'src-native');

function fail(message) {
  console.error(message);
  process.exit(1);
}

const documented = (lines) => (lines.length === 0 ? '' : `/** ${lines.join(' ')} */\n`);

/** The value of a constant; others of the same header may be in it. */
function valueOf(path, text, name) {
  const found = text.match(new RegExp(`constexpr [a-z0-9_]+ ${name} =([^;]+);`));
  if (found === null) fail(`${path}: there is no constant ${name}`);
  const expression = found[1]
    .replace(/u?int\d+_t\{(\w+)\}|size_t\{(\w+)\}/g, '$1$2')
    .replace(/\bUINT32_MAX\b/g, '0xffffffff')
    .replace(/\bk[A-Z]\w*/g, (other) => `(${valueOf(path, text, other)})`);
  if (!/^[\s0-9a-fx()+*<|-]+$/.test(expression)) fail(`${path}: ${name} is not an expression of numbers`);
  // Exact, and without the signs of 32 bits.
  return Function(`return (${expression.replace(/0x[0-9a-f]+|\d+/g, '$&n')})`)();
}

/** One enumerator a line, with the comment above it or after it. */
function enumeratorsOf(path, text, name) {
  const found = text.match(new RegExp(`enum class (?:\\[\\[nodiscard\\]\\] )?${name} : \\w+ ?\\{([^}]*)\\}`));
  if (found === null) fail(`${path}: there is no enum class ${name}`);
  const enumerators = [];
  let comment = [];
  for (const [, line] of found[1].matchAll(/\s*([^\n]+)/g)) {
    if (line.startsWith('//')) {
      comment.push(line.slice(2).trim());
      continue;
    }
    const [code, after] = line.split('//');
    for (const part of code.split(',').map((each) => each.trim())) {
      if (part === '') continue;
      const [, constant, value] = part.match(/^k(\w+) = (\d+)$/) ?? [];
      if (constant === undefined) fail(`${path}: ${name} needs a value of its own for "${part}"`);
      if (enumerators.some((other) => other.value === value)) {
        fail(`${path}: ${name} has the value ${value} twice`);
      }
      const lines = after === undefined ? comment : [after.trim()];
      enumerators.push({ name: constant[0].toLowerCase() + constant.slice(1), value, lines });
      comment = [];
    }
  }
  return enumerators;
}

/** `SegmentField` has as many as `SEGMENT_FIELDS` says. */
const countOf = (name) => `${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}S`;

function enumOf(path, text, name) {
  const all = enumeratorsOf(path, text, name);
  const end = all.find((enumerator) => enumerator.name === 'end');
  const members = all.filter((enumerator) => enumerator !== end);
  if (end !== undefined && members.some(({ value }, i) => Number(value) !== i)) {
    fail(`${path}: the positions of ${name} are not 0, 1, 2 ...`);
  }
  if (end !== undefined && Number(end.value) !== members.length) {
    fail(`${path}: ${name}::kEnd must be ${members.length}`);
  }
  const body = members.map(({ name: key, value, lines }) => `${documented(lines)}${key}: ${value},\n`);
  const count = end === undefined ? '' : `export const ${countOf(name)} = ${end.value};\n`;
  return (
    `/** ${path} */\nexport const ${name} = {\n${body.join('')}} as const;\n` +
    `export type ${name} = (typeof ${name})[keyof typeof ${name}];\n${count}`
  );
}

function sourceOf([path, enums, constants]) {
  const text = readFileSync(join(headers, path), 'utf8');
  const values = Object.entries(constants).map(
    ([name, constant]) =>
      `/** ${path}: ${name} */\nexport const ${constant} = ${valueOf(path, text, name)};\n`,
  );
  return [...values, ...enums.map((name) => enumOf(path, text, name))];
}

const head = `/**
 * The numbers that cross between C++ and TypeScript. Written by
 * scripts/build-codes.mjs from the headers of src-native, which each is named
 * after: change them there, then \`npm run build:codes\`.
 */

`;
const text = head + sources.flatMap(sourceOf).join('\n');
const formatted = await format(text, { ...(await resolveConfig(target)), filepath: target });
if (process.argv.includes('--print')) {
  process.stdout.write(formatted);
} else if (!process.argv.includes('--check')) {
  writeFileSync(target, formatted);
} else if (readFileSync(target, 'utf8') !== formatted) {
  fail('lib/base/codes.ts is not what the C++ headers say; run "npm run build:codes"');
}
