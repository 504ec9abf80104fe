/**
 * The texts of the functions that are made for a layout (layout-functions.ts says why).
 * They depend on nothing but how many fields there are and of which kinds, and use
 * what their maker is given: by field `n0` (its name), `r0` (what reads a value of
 * variable size), `a0` (what accepts a value); the rest by the names of RunState.
 */
import { isVariable, Kind } from '../base/scalar';

function eachOf(kinds: readonly Kind[]): (line: (i: number) => string) => string {
  return (line) => kinds.map((_, i) => line(i)).join('\n');
}

/**
 * What scalar.ts says of a value, by kind, without a call; of those that are left out its own function is asked.
 * All that follows from the kinds is in the text: a constant would have to be looked at again by every writer.
 */
const isNumber = (test: string) => (v: string) =>
  `typeof ${v} === 'number' && ${test.replaceAll('v', v)} === ${v}`;
const checkTexts: Readonly<Partial<Record<Kind, (v: string) => string>>> = {
  [Kind.f64]: (v) => `typeof ${v} === 'number'`,
  [Kind.i8]: isNumber('(v << 24 >> 24)'),
  [Kind.u8]: isNumber('(v & 0xff)'),
  [Kind.i16]: isNumber('(v << 16 >> 16)'),
  [Kind.u16]: isNumber('(v & 0xffff)'),
  [Kind.i32]: isNumber('(v | 0)'),
  [Kind.u32]: isNumber('(v >>> 0)'),
  [Kind.utf8]: (v) => `typeof ${v} === 'string'`,
};
const checkText = (kind: Kind, i: number): string => checkTexts[kind]?.(`v${i}`) ?? `a${i}(v${i})`;

/** Reads the fields of `record` into v0, v1 and so on, and throws where one is refused. */
function readFieldsText(kinds: readonly Kind[]): string {
  const each = eachOf(kinds);
  return `${each((i) => `v${i} = record[n${i}];`)}
if (!(${kinds.map((kind, i) => checkText(kind, i)).join(' && ')})) throw refused(record, [${kinds.map((_, i) => `v${i}`).join(', ')}]);`;
}

/** Up to so many constants are compared sooner than one that is looked up. */
const CONSTANTS_MAX = 8;

/** Declares a function that tells whether the keys of a record are the fields; `isOther` tests a key. */
function isPlainText(kinds: readonly Kind[], name: string, isOther: string): string {
  return `const ${name} = (record) => {
  if (record === null || typeof record !== 'object') return false;
  let count = 0;
  for (const key in record) {
    if (${isOther}) return false;
    ++count;
  }
  return count === ${kinds.length};
};`;
}

/** Of one record, for which the names are constants, and of many, in a loop that looks them up. Most have the fields in their order. */
function arePlainTexts(kinds: readonly Kind[]): string {
  const lookUp = 'key !== names[count] && !names.includes(key)';
  const compare = kinds.map((_, i) => `key !== n${i}`).join(' && ');
  return `${isPlainText(kinds, 'isPlain', kinds.length <= CONSTANTS_MAX ? compare : lookUp)}
${isPlainText(kinds, 'isPlainOfMany', lookUp)}`;
}

/** Most heads have room for the next record. A value that fits there is smaller than a whole segment, too. */
function placeText(variable: readonly number[]): string {
  if (variable.length === 0) return 'const position = place(writer);';
  return `let position = nextOf(writer);
if (position < 0 || !(${variable.map((i) => `c${i}.hasRoom(v${i})`).join(' && ')})) {
  ${variable.map((i) => `payloads[${i}] = v${i};`).join('\n')}
  position = place(writer, payloads);
}`;
}

function storeValueText(kind: Kind, i: number): string {
  if (!isVariable(kind)) return `c${i}[position] = v${i}`;
  return kind === Kind.utf8 ? `c${i}.storeText(position, v${i})` : `c${i}.store(position, v${i})`;
}

export function storeText(kinds: readonly Kind[]): string {
  const each = eachOf(kinds);
  const variable = kinds.map((kind, i) => (isVariable(kind) ? i : -1)).filter((i) => i >= 0);
  const declared = `let ${kinds.map((_, i) => `v${i}`).join(', ')};`;
  return `${each((i) => `const n${i} = names[${i}], a${i} = checks[${i}]; var c${i};`)}
${arePlainTexts(kinds)}
return {
  map(columns) {
    ${each((i) => `c${i} = columns[${i}];`)}
  },
  store(writer, record) {
    if (!isPlain(record)) return -1;
    ${declared}
    ${readFieldsText(kinds)}
    ${placeText(variable)}
    ${each((i) => `${storeValueText(kinds[i]!, i)};`)}
    return position;
  },
  collect(records, builder) {
    let { sources, capacity } = builder;
    let length = 0;
    for (const record of records) {
      ${declared}
      if (isPlainOfMany(record)) {
        ${readFieldsText(kinds)}
      } else {
        [${kinds.map((_, i) => `v${i}`).join(', ')}] = look(record);
      }
      if (length === capacity) ({ sources, capacity } = builder.grow());
      ${each((i) => (isVariable(kinds[i]!) ? `sources[${i}].push(v${i});` : `sources[${i}][length] = v${i};`))}
      ++length;
    }
    return length;
  },
  copy(sources, from, position, count) {
    ${each((i) =>
      isVariable(kinds[i]!)
        ? ''
        : `{ const s = sources[${i}]; for (let j = 0; j < count; ++j) c${i}[position + j] = s[from + j]; }`,
    )}
  },
};`;
}

const namesText = (kinds: readonly Kind[]): string =>
  eachOf(kinds)((i) => `const n${i} = names[${i}], r${i} = variable[${i}];`);

const columnNamesText = (kinds: readonly Kind[]): string =>
  eachOf(kinds)((i) => `const s${i} = columnName(${i});`);

/** With names that are computed an object is made as fast as any literal, whatever its prototype says of them. */
function recordText(values: readonly string[]): string {
  return `({ ${values.map((value, i) => `[n${i}]: ${value}`).join(', ')} })`;
}

export function readText(kinds: readonly Kind[]): string {
  const values = kinds.map((kind, i) =>
    isVariable(kind) ? `r${i}(columns[${i}], position)` : `columns[${i}][position]`,
  );
  return `${namesText(kinds)}
return (columns, position) => ${recordText(values)};`;
}

/** Gives an object each column by itself. With names that are constants a store is one instruction. */
export function spreadText(kinds: readonly Kind[]): string {
  return `${columnNamesText(kinds)}
return (target, columns) => {
  ${eachOf(kinds)((i) => `target[s${i}] = columns[${i}];`)}
};`;
}

export function gettersText(kinds: readonly Kind[]): string {
  const each = eachOf(kinds);
  return `${columnNamesText(kinds)}
return [
  ${each((i) => `function () { return this[s${i}][this[POSITION]]; },`)}
];`;
}

/**
 * next() of what makes an object, or a number, of each entry. With one place where the result is made, the
 * compiler of a loop needs no object for it.
 */
export function entriesText(kinds: readonly Kind[], isRecord: boolean): string {
  const values = kinds.map((kind, i) =>
    isVariable(kind) ? `r${i}(this[s${i}], position)` : `this[s${i}][position]`,
  );
  const entry = isRecord ? recordText(values) : values[0];
  const memory = isVariable(kinds[0]!) ? 'this[s0].offsets' : 'this[s0]';
  return `${isRecord ? namesText(kinds) : ''}
${columnNamesText(kinds)}
return {
  next() {
    let position = this[POSITION] + 1;
    // The memory may have been transferred away.
    if (position >= this[END] || this[SOURCE][currentSegments] !== this[SEGMENTS] || ${memory}.length === 0) {
      position = this.nextRun(position);
    }
    this[POSITION] = position;
    const done = position < 0;
    return { done, value: done ? undefined : ${entry} };
  },
};`;
}

/** next() and get(name) of a cursor. Short, so that a loop with many fields can still have all of it inlined. */
export function cursorText(kinds: readonly Kind[]): string {
  const line = (i: number): string => {
    const column = `this[s${i}]`;
    const value = isVariable(kinds[i]!)
      ? `${column}.offsets.length !== 0 ? r${i}(${column}, this[POSITION]) : undefined`
      : `${column}[this[POSITION]]`;
    return `if (name === n${i}) value = ${value};`;
  };
  return `${namesText(kinds)}
${columnNamesText(kinds)}
return {
  next() {
    const position = this[POSITION] + 1;
    if (position >= this[END] || this[SOURCE][currentSegments] !== this[SEGMENTS]) return slowly.next.call(this);
    this[POSITION] = position;
    return true;
  },
  get(name) {
    // Before the first entry it has no segments.
    if (this[SOURCE][currentSegments] === this[SEGMENTS]) {
      let value;
      ${kinds.map((_, i) => line(i)).join(' else ')}
      if (value !== undefined) return value;
    }
    return slowly.get.call(this, name);
  },
};`;
}

/**
 * next() of rows. The result is made in one place and is not kept, so that the compiler of a loop needs no object
 * for it, and knows that the row that it reads is the one that has just been moved.
 */
export function rowsText(): string {
  return `return {
  next() {
    const { row } = this;
    let position = row[POSITION] + 1;
    if (position >= this[END] || this[SOURCE][currentSegments] !== this[SEGMENTS]) position = this.nextRun(position);
    const done = position < 0;
    if (!done) row[POSITION] = position;
    return { done, value: done ? undefined : row };
  },
};`;
}
