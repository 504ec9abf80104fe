// Reads tables as the demo does, and prints them as JSON. The variable TABLES has
// their paths. A process of its own, because the demo is made of ES modules; a file
// here, because Deno looks for packages where the program is.
import { openTable } from '../../examples/demo/sources/table.mjs';

const ROWS_MAX = 100;

function read(path) {
  try {
    const { fields, leftOut, fill } = openTable(path, false);
    const columns = fields.map(() => new Float64Array(ROWS_MAX));
    const count = fill(columns, ROWS_MAX);
    const rows = Array.from({ length: count }, (_, row) => columns.map((column) => column[row]));
    return { fields, leftOut, rows };
  } catch (error) {
    return error.message;
  }
}

console.log(JSON.stringify(JSON.parse(process.env.TABLES).map(read)));
