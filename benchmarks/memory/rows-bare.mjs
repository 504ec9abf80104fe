// The least that anything can do which is read as rows are: the loops of the language over the
// same columns, without a single check. What they take is what V8 takes.

/** A row with two fields, each a getter that reads its column. */
class BareRow {
  position = 0;
  first = undefined;
  second = undefined;
  get a() {
    return this.first[this.position];
  }
  get b() {
    return this.second[this.position];
  }
}

class BareRows {
  #row = new BareRow();
  #result = { done: false, value: this.#row };
  #chunks;
  #chunk = 0;
  #end = 0;

  /** @param {[ArrayLike<number>, ArrayLike<number>][]} chunks the two columns of each */
  constructor(chunks) {
    this.#chunks = chunks;
  }

  [Symbol.iterator]() {
    return this;
  }

  next() {
    const row = this.#row;
    const position = row.position + 1;
    if (position >= this.#end) return this.#nextChunk();
    row.position = position;
    return this.#result;
  }

  #nextChunk() {
    if (this.#chunk === this.#chunks.length) return { done: true, value: undefined };
    const row = this.#row;
    [row.first, row.second] = this.#chunks[this.#chunk++];
    row.position = 0;
    this.#end = row.first.length;
    return this.#result;
  }
}

/** The sum of the products of two columns through an iterator with one row. */
export function sumOfBareRows(chunks) {
  let sum = 0;
  for (const row of new BareRows(chunks)) sum += row.a * row.b;
  return sum;
}

/** The same with a row that is moved, as a cursor is. */
export function sumOfBareCursor(chunks) {
  let sum = 0;
  const row = new BareRow();
  for ([row.first, row.second] of chunks) {
    for (row.position = 0; row.position < row.first.length; ++row.position) sum += row.a * row.b;
  }
  return sum;
}

/** The same with a new object of five fields for each entry, which an iterator returns. */
export function sumOfBareObjects(chunks) {
  let sum = 0;
  for (const row of bareObjects(chunks)) sum += row.a * row.b;
  return sum;
}

function bareObjects(chunks) {
  let chunk = 0;
  let position = -1;
  let [first, second] = chunks[0];
  return {
    [Symbol.iterator]() {
      return this;
    },
    next() {
      if (++position === first.length) {
        if (++chunk === chunks.length) return { done: true, value: undefined };
        [first, second] = chunks[chunk];
        position = 0;
      }
      const a = first[position];
      const b = second[position];
      return { done: false, value: { a, b, c: a, d: b, e: a } };
    },
  };
}
