/**
 * What a log's columns are, the text that carries it to the other environments
 * that attach, and the check of what they expect.
 */
import { coderFor, type Coder } from './codec';
import { DESCRIPTOR_BYTES_MAX } from '../base/codes';
import { describe, outOfRange, rangeError, typeError } from '../base/errors';
import type { LayoutFunctions } from './layout-functions';
import { typeNames, type Kind } from '../base/scalar';
import type { RecordColumns } from './schema';

/** The columns of a log. A log of numbers or with a codec has one, and no fields. */
export interface Layout {
  readonly kinds: readonly Kind[];
  /** Names of the columns of a log of records; undefined for any other. */
  readonly fields: readonly string[] | undefined;
  readonly name: string | undefined;
  readonly strictViews: boolean;
  /** Bytes that a segment has for the values of each field of variable size; 0 when there is none. */
  readonly dataBytes: number;
  /** Of a log with a codec. */
  readonly coder: Coder | undefined;
  /** The id of the write-ahead log that has the entries too: no one but its owner appends. */
  readonly journal?: string | undefined;
  /** What is made for it when it is first read or written; null where no function can be made. */
  functions?: LayoutFunctions | null;
}

const checkLength = (length: number): void => {
  if (length <= DESCRIPTOR_BYTES_MAX) return;
  throw rangeError(
    'ERR_OUT_OF_RANGE',
    `the names of the log, its fields and its codec take ${length} bytes or more, and a log has room for ` +
      `${DESCRIPTOR_BYTES_MAX}; choose shorter ones, or fewer fields`,
  );
};

/** @throws `ERR_OUT_OF_RANGE` when a log has no room for such a name of one of its readers */
export function checkNameLength(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes > DESCRIPTOR_BYTES_MAX) {
    throw outOfRange('options.name', `at most ${DESCRIPTOR_BYTES_MAX} bytes long`, bytes);
  }
}

/**
 * The layout as text; the addon hands it to every thread that attaches. Functions stay here: a codec travels by name.
 *
 * @throws `ERR_OUT_OF_RANGE` when the names are too long for it
 */
export function encodeLayout({
  coder,
  kinds,
  fields,
  name,
  strictViews,
  dataBytes,
  journal,
}: Layout): string {
  const names = [...(fields ?? []), name ?? '', coder?.name ?? ''];
  // First, because the whole text may be longer than a string can be.
  checkLength(names.reduce((sum, { length }) => sum + length, 0));
  const text = JSON.stringify({ kinds, fields, name, strictViews, dataBytes, journal, codec: coder?.name });
  checkLength(Buffer.byteLength(text));
  return text;
}

/** @throws `ERR_CODEC_MISMATCH` when `codec` is not the one that the log needs */
export function decodeLayout(descriptor: string, codec: unknown): Layout {
  const { codec: codecName, ...layout } = JSON.parse(descriptor) as Omit<Layout, 'coder'> & {
    codec?: string;
  };
  return { ...layout, fields: layout.fields, name: layout.name, coder: coderFor(codecName, codec) };
}

/** For messages: what a log holds, or a schema says. Long lists are cut. */
const COLUMNS_LENGTH_MAX = 100;

const columnText = (name: string, kind: Kind): string => `${name}: ${typeNames[kind]!}`;

function columnsText({ kinds, fields }: RecordColumns): string {
  const text = fields.map((name, i) => columnText(name, kinds[i]!)).join(', ');
  return text.length > COLUMNS_LENGTH_MAX ? `${text.slice(0, COLUMNS_LENGTH_MAX)}...` : text;
}

/**
 * Checks that the log has the columns that an attaching thread expects: the names, the
 * types and the order. `what` names the log in the error, `then` what to do.
 *
 * @throws `ERR_SCHEMA_MISMATCH`
 */
export function checkColumnsOf(
  { kinds, fields, coder }: Layout,
  expected: RecordColumns,
  { what, then } = { what: 'the log', then: 'attach with the schema that the log was made with' },
): void {
  if (fields === undefined) {
    const held =
      coder === undefined
        ? `values of type ${typeNames[kinds[0]!]!}`
        : `values of the codec ${describe(coder.name)}`;
    throw typeError(
      'ERR_SCHEMA_MISMATCH',
      `${what} holds ${held}, and options.schema has ${columnsText(expected)}; leave the schema out`,
    );
  }
  const count = Math.max(fields.length, expected.fields.length);
  const at = (columns: RecordColumns, i: number): string =>
    i < columns.fields.length ? describe(columnText(columns.fields[i]!, columns.kinds[i]!)) : 'no column';
  for (let i = 0; i < count; ++i) {
    if (fields[i] === expected.fields[i] && kinds[i] === expected.kinds[i]) continue;
    throw typeError(
      'ERR_SCHEMA_MISMATCH',
      `${what} has ${columnsText({ kinds, fields })}, and options.schema has ${columnsText(expected)}; ` +
        `column ${i} is ${at({ kinds, fields }, i)} there and ${at(expected, i)} here; ` +
        then,
    );
  }
}
