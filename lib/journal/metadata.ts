/**
 * What a write-ahead log says of the entries in it: that they are those of a log in memory, what its columns are, and
 * which LSN the entry with index 0 has. It is the metadata of the log, which every file of it has, so that no
 * checkpoint takes it away.
 */
import { WAL_METADATA_BYTES_MAX } from '../base/codes';
import { describe, plainError, rangeError, typeError } from '../base/errors';
import { typeNames } from '../base/scalar';
import { withDetails } from '../durable/errors';
import { WalReader } from '../durable/wal/reader';
import { checkColumnsOf, type Layout } from '../memory/layout';
import { isFieldType, Kind } from '../base/scalar';

const VERSION = 1;

/** What the metadata says, as JSON. */
interface Description {
  readonly atomicLog: typeof VERSION;
  readonly base: number;
  /** Of a log of numbers. */
  readonly type?: string;
  /** Of a log with a codec: its name, and how its values are stored. */
  readonly codec?: string;
  readonly stored?: string;
  /** Of a log of records: name and type of each. */
  readonly fields?: readonly (readonly [string, string])[];
}

function contentOf({ kinds, fields, coder }: Layout): Omit<Description, 'base'> {
  const atomicLog = VERSION;
  if (fields !== undefined) {
    return { atomicLog, fields: fields.map((name, i) => [name, typeNames[kinds[i]!]!] as const) };
  }
  const stored = typeNames[kinds[0]!]!;
  return coder === undefined ? { atomicLog, type: stored } : { atomicLog, codec: coder.name, stored };
}

/** The metadata of a log that is made. */
export function metadataOf(layout: Layout, base: number): Buffer {
  const metadata = Buffer.from(JSON.stringify({ base, ...contentOf(layout) }));
  if (metadata.length <= WAL_METADATA_BYTES_MAX) return metadata;
  throw rangeError(
    'ERR_OUT_OF_RANGE',
    `the names and types of the fields take ${metadata.length} bytes, and a log has room for ` +
      `${WAL_METADATA_BYTES_MAX}; give the fields shorter names, or use fewer`,
  );
}

/** Names the layout in every frame (FNV-1a). */
export function layoutNumber(layout: Layout): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify(contentOf(layout)))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

function parse(metadata: Buffer): Partial<Description> | undefined {
  try {
    const parsed: unknown = JSON.parse(metadata.toString());
    return typeof parsed === 'object' && parsed !== null && 'atomicLog' in parsed
      ? (parsed as Partial<Description>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What is known of how the values of a log are stored. */
function textOf({ type, codec, fields }: Partial<Description>): string {
  if (fields !== undefined) return 'records';
  return codec === undefined ? `values of type ${describe(type)}` : `values of the codec ${describe(codec)}`;
}

/**
 * The LSN of the entry with index 0 in the log that has this metadata; its entries must be those of the layout.
 *
 * @throws `ERR_FORMAT`, `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH`
 */
export function checkMetadata(path: string, metadata: Buffer, layout: Layout): number {
  const found = parse(metadata);
  const base = found?.base;
  if (found === undefined || !Number.isSafeInteger(base) || base! < 1) {
    throw withDetails(
      plainError(
        'ERR_FORMAT',
        `${path}: the write-ahead log was not made by AtomicLog.open(); give another directory, or open it with Wal`,
      ),
      { path },
    );
  }
  if (found.atomicLog !== VERSION) {
    throw withDetails(
      plainError('ERR_FORMAT', `${path}: the log was made by a later release; use that release`),
      { path },
    );
  }
  const expected = contentOf(layout);
  if (found.fields !== undefined && expected.fields !== undefined) {
    checkFields(path, found.fields, layout);
  } else if (textOf(found) !== textOf(expected)) {
    const isCodec = found.codec !== undefined && expected.codec !== undefined;
    throw typeError(
      isCodec ? 'ERR_CODEC_MISMATCH' : 'ERR_SCHEMA_MISMATCH',
      `${path}: the log has ${textOf(found)}, and the options say ${textOf(expected)}; ` +
        'open it with the type, schema or codec that it was made with',
    );
  }
  return base!;
}

function checkFields(path: string, found: readonly (readonly [string, string])[], layout: Layout): void {
  const kinds = found.map(([, type]) => (isFieldType(type) ? Kind[type] : (-1 as Kind)));
  const held = { kinds, fields: found.map(([name]) => name), coder: undefined };
  checkColumnsOf(
    { ...layout, ...held },
    { kinds: layout.kinds, fields: layout.fields! },
    { what: `${path}: the log`, then: 'open it with the schema that it was made with' },
  );
}

/** Throws unless the log that is in the directory, if there is one, has this layout. Changes nothing. */
export function checkFound(path: string, layout: Layout): void {
  let metadata: Buffer | undefined;
  try {
    const reader = WalReader.open(path);
    if (reader.logId !== undefined) metadata = reader.metadata;
    reader.close();
  } catch {
    // Opening the log says what there is to say.
  }
  if (metadata !== undefined) checkMetadata(path, metadata, layout);
}
