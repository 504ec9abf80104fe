// Puts all mutations of a file into it at once, each behind a switch: one build
// tries them all.

const ORDER = /std::memory_order_\w+/g;
const ofOrders = ({ from, to }) => from.replace(ORDER, '') === to.replace(ORDER, '');
const isStatement = (text) => text.endsWith('\n');

function placeOf(text, { from, by, file }) {
  const at = text.indexOf(from);
  if (at < 0 || text.includes(from, at + 1)) throw new Error(`${by}: not once in ${file}:\n${from}`);
  return at;
}

/** Memory orders that mutations weaken, by where they stand. */
function ordersIn(text, edits) {
  const places = new Map();
  for (const edit of edits) {
    const at = placeOf(text, edit);
    const after = edit.to.match(ORDER);
    [...edit.from.matchAll(ORDER)].forEach(({ 0: order, index }, i) => {
      if (order === after[i]) return;
      const place = places.get(at + index) ?? { order, weakened: [] };
      place.weakened.push({ number: edit.number, order: after[i] });
      places.set(at + index, place);
    });
  }
  return places;
}

/** Edits whose texts overlap, as one stretch of the file. */
function stretchesOf(text, edits) {
  const stretches = [];
  const placed = edits.map((edit) => ({ edit, at: placeOf(text, edit) }));
  for (const { edit, at } of placed.sort((a, b) => a.at - b.at)) {
    const last = stretches.at(-1);
    const end = at + edit.from.length;
    if (last !== undefined && at < last.end) {
      last.end = Math.max(last.end, end);
      last.edits.push(edit);
    } else {
      stretches.push({ start: at, end, edits: [edit] });
    }
  }
  return stretches;
}

/** A stretch as it is unless one of its mutations is tried: whole statements, which end a line, or an expression. */
function switched(original, asIs, edits) {
  const variants = new Map();
  for (const { number, from, to } of edits) {
    variants.set(
      number,
      (variants.get(number) ?? original).replace(from, () => to),
    );
  }
  const isWhole = isStatement(original);
  if (!isWhole && edits.some(({ from }) => isStatement(from))) {
    throw new Error(`not whole statements:\n${original}`);
  }
  return [...variants].reduce(
    (rest, [number, variant]) =>
      isWhole
        ? `if (model::mutation == ${number}) {\n${variant}} else {\n${rest}}\n`
        : `(model::mutation == ${number} ? (${variant}) : (${rest}))`,
    asIs,
  );
}

/** @param {{ file: string, from: string, to: string, by: string, number: number }[]} edits of that text */
export function withSwitches(text, edits) {
  const orders = ordersIn(text, edits.filter(ofOrders));
  const withOrders = (start, end) =>
    text
      .slice(start, end)
      .replace(ORDER, (order, index) =>
        (orders.get(start + index)?.weakened ?? []).reduce(
          (rest, one) => `model::order(${one.number}, ${one.order}, ${rest})`,
          order,
        ),
      );
  let result = '';
  let done = 0;
  for (const { start, end, edits: own } of stretchesOf(
    text,
    edits.filter((edit) => !ofOrders(edit)),
  )) {
    result += withOrders(done, start);
    result += switched(text.slice(start, end), withOrders(start, end), own);
    done = end;
  }
  return result + withOrders(done, text.length);
}
