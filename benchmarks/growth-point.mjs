// A child of growth.mjs: one curve at one value; prints nanoseconds of each operation, or
// prepares a directory for the children that follow.
import { curves as durable } from './growth-durable.mjs';
import { curves as memory } from './growth-memory.mjs';

const [name, value, step, directory] = process.argv.slice(2);
const curve = { ...memory, ...durable }[name];
const result = await curve[step](Number(value), directory);
process.stdout.write(JSON.stringify(result ?? {}), () => process.exit(0));
