// Runs the cases and the decoders in one runtime with a log of one mapping; prints a mark for each.
// Arguments: the mapping, and the node_modules of the peers or nothing.
const atomicLog = require('../..');

const { AtomicLog } = atomicLog;
const mapping = process.argv[2];
const cases = require('./cases.cjs');
const decoders = require('./decoders.cjs');
const { bytesOf, CONTENT } = decoders;

/** 24 bytes: longer than a word, shorter than what any format treats apart. */
function viewsOf() {
  const options = { retainedCapacity: 1000, segmentCapacity: 500, mapping };
  const numbers = AtomicLog.claimed(options);
  for (const value of [1, 2.5, 3]) numbers.writer.append(value);
  const bytes = AtomicLog.claimed({ ...options, type: 'u8' });
  for (let i = 0; i < 24; ++i) bytes.writer.append(i + 1);
  // The snapshots stay open: what reads later is given its time.
  const shown = ({ log }) => [...log.snapshot().chunks()][0].values;
  return { f64: () => shown(numbers), u8: () => shown(bytes) };
}

/** What this runtime does not have, or a peer that is not installed. */
const isMissing = ({ code, message }) =>
  code === 'MODULE_NOT_FOUND' ||
  /(crc32|WebSocket|CompressionStream).* is not (a (function|constructor)|defined)/i.test(message);

const outcome = async (name, run) => {
  try {
    return await run();
  } catch (error) {
    if (process.env.HANDOVER_ERRORS) console.error(name, error);
    return isMissing(error) ? '–' : 'T';
  }
};

/** What the content lies in that is decoded from bytes in a log. */
async function decoded(make) {
  const { bytes, content = CONTENT, decode } = await make();
  const { log, writer } = AtomicLog.claimed({
    retainedCapacity: 1000,
    segmentCapacity: 500,
    mapping,
    codec: atomicLog.bytes,
  });
  writer.append(new Uint8Array(bytes));
  const view = [...log.snapshot().chunks()][0].encoded.bytesAt(0);
  const got = decode(view);
  if (Buffer.compare(bytesOf(got), bytesOf(content)) !== 0) return '✗';
  return got.buffer === view.buffer ? '=' : 'copy';
}

async function main() {
  const marks = {};
  for (const { name, make } of decoders.all) marks[name] = await outcome(name, () => decoded(make));
  for (const { name, run, views = ['u8', 'f64'] } of cases) {
    const found = new Set();
    for (const kind of views) {
      // A log of its own: a case may take the memory away.
      found.add(await outcome(`${name}, ${kind}`, () => run(viewsOf()[kind]())));
    }
    // Where the two typed arrays differ, both are said.
    marks[name] = [...found].join(' / ');
  }
  console.log(JSON.stringify(marks));
  process.exit(0);
}

void main();
