/**
 * Functions that are made for one layout, with a line for each field: what stores records,
 * and what reads entries. In a loop over the fields, or in a function that all logs share,
 * one place in the code would meet every name and every type, and a record would take
 * several times as long.
 *
 * The text that is compiled depends on nothing but how many fields there are and of which
 * kinds. Names come as arguments: no text of a user is ever compiled. Where code
 * may not be made from strings, the loops do it.
 */
import { checkOf, isVariable, Kind } from '../base/scalar';
import type { BatchBuilder } from './batch-builder';
import type { Layout } from './layout';
import {
  cursorText,
  entriesText,
  gettersText,
  readText,
  rowsText,
  spreadText,
  storeText,
} from './layout-texts';
import type { Column } from './mapping';
import { columnName, COLUMNS, currentSegments, END, POSITION, SEGMENTS, SOURCE, spreadColumns } from './run';
import type { Payload, VarArea } from './var-area';

/** Reads the value at a position of a column of variable size. */
export type ReadVariable = (area: VarArea, position: number) => unknown;

/** How values of variable size are read that have no codec, by kind. */
export const readers: Readonly<Record<number, ReadVariable>> = {
  [Kind.utf8]: (area, position) => area.text(position),
  [Kind.bytes]: (area, position) => area.copy(position),
};

export interface RecordStore<W> {
  /** The columns of the head; what follows is stored there. */
  map(columns: readonly Column[]): void;
  /**
   * Reads, checks and stores a record; returns its position in the head. Reading
   * runs user code: getters and proxies. When `place` is asked, all of that is over.
   * -1, and nothing was read, for one whose keys are not the fields, which needs a
   * closer look.
   *
   * @throws what `refused` says of a value
   */
  store(writer: W, record: unknown): number;
  /** Reads and checks records, and collects them; returns how many. */
  collect(records: Iterable<unknown>, builder: BatchBuilder): number;
  /** Copies values [from, from + count) of the sources of fixed size to `position` of the head. */
  copy(sources: readonly unknown[], from: number, position: number, count: number): void;
}

/** Where a record goes. */
export interface Place<W> {
  /** The next position in the head of a writer; negative where it has none left. */
  readonly nextOf: (writer: W) => number;
  /** As that, and makes room; `payloads` are the values of variable size, by field. */
  readonly place: (writer: W, payloads: readonly Payload[]) => number;
}

/** The error for the first of the values of a record that its column refuses. */
export type Refused = (record: object, values: readonly unknown[]) => Error;

/** The values of a record that needs a closer look; throws what is to be said of it. */
export type Look = (record: unknown) => readonly unknown[];

/** The entry at a position, as a new object. */
export type RecordReader = (columns: readonly Column[], position: number) => object;

/** Reads one column of an object that has its columns, and a position, as properties. */
export type ColumnGetter = (this: object) => unknown;

/** Gives an object each column by itself. */
export type Spread = (target: object, columns: readonly Column[]) => void;

/** What a class and the functions that are made for it share: symbols, because a field may have any name. */
const run = { columnName, SOURCE, SEGMENTS, COLUMNS, POSITION, END, currentSegments };

/** Methods of a class, to be replaced by those that are made for a layout. */
type Methods = Readonly<Record<string, unknown>>;
type MakeStore<W> = (given: object) => RecordStore<W>;
/** The constructor may be private. */
interface Class {
  readonly prototype: object;
  readonly name: string;
}

/** Above this many fields a name is not compared with all of them one by one. */
const COMPARED_FIELDS_MAX = 32;

/** What is made for a layout, each when it is asked for. */
export class LayoutFunctions {
  readonly #fields: readonly string[];
  readonly #kinds: readonly Kind[];
  readonly #isRecord: boolean;
  readonly #mark: string;
  #read: RecordReader | undefined;
  #spread: Spread | undefined;
  #makeStore: MakeStore<never> | undefined;
  readonly #classes = new Map<Class, Class>();

  /** `mark`: texts that are the same would be one function to the engine. */
  constructor(fields: readonly string[] | undefined, kinds: readonly Kind[], mark: string) {
    this.#fields = fields ?? [''];
    this.#isRecord = fields !== undefined;
    this.#kinds = kinds;
    this.#mark = mark;
  }

  /** Makes the object of an entry. */
  get read(): RecordReader {
    return (this.#read ??= this.#call(readText(this.#kinds), this.#reading()) as RecordReader);
  }

  get spread(): Spread {
    return (this.#spread ??= this.#call(spreadText(this.#kinds), {}) as Spread);
  }

  makeStore<W>(place: Place<W>, refused: Refused, look: Look): RecordStore<W> {
    const kinds = this.#kinds;
    const payloads = kinds.map((kind) => (isVariable(kind) ? '' : undefined));
    const given = { names: this.#fields, checks: kinds.map(checkOf), ...place, refused, look, payloads };
    // One function for all writers of this layout: only what it is called with differs.
    this.#makeStore ??= this.#compile(storeText(kinds), given) as MakeStore<never>;
    return (this.#makeStore as MakeStore<W>)(given);
  }

  /** By field; those of fixed size read COLUMNS and POSITION of `this`. */
  makeGetters(): readonly ColumnGetter[] {
    return this.#call(gettersText(this.#kinds), {}) as readonly ColumnGetter[];
  }

  /** The iterator over entries, with a next() for this layout. */
  entriesClass<C extends Class>(base: C): C {
    return this.#classOf(base, () => entriesText(this.#kinds, this.#isRecord));
  }

  cursorClass<C extends Class>(base: C): C {
    const isFit = this.#isRecord && this.#kinds.length <= COMPARED_FIELDS_MAX;
    return isFit ? this.#classOf(base, () => cursorText(this.#kinds)) : base;
  }

  rowsClass<C extends Class>(base: C): C {
    return this.#classOf(base, rowsText);
  }

  #reading(): Record<string, unknown> {
    return { names: this.#fields, variable: this.#kinds.map((kind) => readers[kind]) };
  }

  /** A class of its own, so that what is seen of the objects of one log tells nothing about those of others. */
  #classOf<C extends Class>(base: C, text: () => string): C {
    let made = this.#classes.get(base);
    if (made === undefined) {
      const slowly = base.prototype;
      made = derived(base);
      const methods = this.#call(text(), { ...this.#reading(), slowly }) as Methods;
      for (const name of Object.keys(methods)) {
        Object.defineProperty(made.prototype, name, { value: methods[name], writable: true });
      }
      this.#classes.set(base, made);
    }
    return made as C;
  }

  #call(text: string, given: Record<string, unknown>): unknown {
    return this.#compile(text, { ...run, ...given })({ ...run, ...given });
  }

  /** What it is given becomes constants: the engine does not look at them again, as it does at arguments. */
  #compile(text: string, given: Record<string, unknown>): (given: object) => unknown {
    const names = Object.keys(given).join(', ');
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- nothing of a user is in these texts
    return new Function(
      'given',
      `'use strict'; // ${this.#mark}\nconst { ${names} } = given;\n${text}`,
    ) as never;
  }
}

function derived(base: Class): Class {
  const Derived = class extends (base as new () => object) {};
  return Object.defineProperty(Derived, 'name', { value: base.name });
}

/** Whether functions can be made; not where --disallow-code-generation-from-strings or a content security policy says so. */
const canCompile = ((): boolean => {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- asks whether it is allowed
    new Function('');
    return true;
  } catch {
    return false;
  }
})();

const MADE_MAX = 256;
/** By fields and kinds: one function for two layouts would meet the names of both. */
const made = new Map<string, LayoutFunctions>();
let madeCount = 0;

/** Null where code may not be made from strings. */
export function functionsOf(layout: Layout): LayoutFunctions | null {
  return layout.functions === undefined ? (layout.functions = findFunctions(layout)) : layout.functions;
}

function findFunctions({ fields, kinds, coder }: Layout): LayoutFunctions | null {
  if (!canCompile || coder !== undefined) return null;
  const key = JSON.stringify([fields, kinds]);
  const known = made.get(key);
  if (known !== undefined) return known;
  if (made.size === MADE_MAX) made.clear();
  const functions = new LayoutFunctions(fields, kinds, `${++madeCount}`);
  made.set(key, functions);
  return functions;
}

/** As {@link spreadColumns}, which takes many times as long. */
export function spreadOf(layout: Layout): Spread {
  return functionsOf(layout)?.spread ?? spreadColumns;
}
