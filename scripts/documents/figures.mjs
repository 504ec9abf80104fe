// The parts of the documents that have figures, each written from the results of the benchmarks
// between `<!-- figures: NAME -->` and `<!-- /figures -->`.

export const time = (ns) => (ns < 1000 ? `${number(ns)} ns` : `${number(ns / 1000)} µs`);
const times = (ratio) => `${number(ratio)} ×`;

/** Two digits: more would say more than a machine repeats. */
function number(value) {
  const digits = Math.min(2, Math.max(0, 1 - Math.floor(Math.log10(value))));
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function rate(perSecond) {
  return perSecond >= 1e6
    ? `${number(perSecond / 1e6)} million/s`
    : `${Math.round(perSecond / 1e3).toLocaleString('en')},000/s`;
}

function table(head, rows, align = []) {
  const rule = head.map((_, i) => align[i] ?? '-');
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** 'twice as fast as', with the slower one second. */
const faster = (ratio) => (ratio >= 1 ? `${times(ratio)} faster` : `${times(1 / ratio)} slower`);

const EACH = 'one by one';
const DURABLE = 'durable when acknowledged: `fdatasync` has returned';

function where({ conditions }) {
  return `Measured on ${conditions.date}, ${conditions.machine}, ${conditions.runtime.replace(/ \(.*/, '')}, ${conditions.system}; durable rows on ${conditions['disk of the durable rows'].replace(/ \(.*/, '')}.`;
}

/** The few figures of the first screen. */
function inShort(results) {
  const { operation, peer } = results;
  const log = (readers) => peer(EACH, readers, 'atomic-log, polled every ms');
  const port = (readers) => peer(EACH, readers, 'MessagePort');
  const rows = [
    [
      'a number to 1 reader thread',
      `${time(log(1).ns)} of the writer's time`,
      `MessagePort ${times(port(1).ratio)}, BroadcastChannel ${times(peer(EACH, 1, 'BroadcastChannel').ratio)}, ringbuf.js ${times(peer(EACH, 1, 'ringbuf.js, polled every ms').ratio)} as much`,
      'in memory, published one by one',
    ],
    [
      'a number to 8 reader threads',
      `${time(log(8).ns)} of the writer's time`,
      `MessagePort ${times(port(8).ratio)}, BroadcastChannel ${times(peer(EACH, 8, 'BroadcastChannel').ratio)} as much`,
      'the same',
    ],
    [
      'a record of five numbers',
      time(operation('append of a record with five columns').ns),
      `as columns, in batches of 64: ${time(operation('appendBatch of 64 records with five columns, as columns, per record').ns)}`,
      'in memory; with the making of the object',
    ],
    [
      'a string of 12 bytes',
      time(operation('append, string of 12 bytes').ns),
      `${times(operation('append, string of 12 bytes').ratio)} \`Buffer.write\``,
      'in memory',
    ],
    [
      'reading two fields of a record',
      time(operation('reading two fields of five through chunk.column(), per record').ns),
      `${times(operation('reading two fields of five through chunk.column(), per record').ratio)} an array of objects`,
      'through `chunk.column()`; nothing is copied',
    ],
    [
      'a durable entry of 128 bytes',
      rate(operation('Wal.append, 128 B each, warm').perSecond),
      `${faster(1 / operation('Wal.append, 128 B each, warm').ratio)} than lmdb; better-sqlite3 takes ${times(operation('better-sqlite3, 128 B each, warm').ratio)} lmdb's time`,
      `10,000 under way; ${DURABLE}`,
    ],
    [
      'one durable entry alone',
      time(operation('Wal.appendSync of 128 B').ns),
      `${times(operation('Wal.appendSync of 128 B').ratio)} a bare write and \`fdatasync\``,
      'nothing else under way',
    ],
  ];
  return `${table(['what', 'costs', 'next to', 'condition'], rows)}\n\n${where(results)}`;
}

/** Each operation with its time and its ratio. */
function operations({ operation }, rows) {
  return table(
    ['operation', 'time', 'ratio'],
    rows.map(([name, row, of]) => {
      const { ns, ratio, unit } = operation(row, of);
      const share = unit === '' ? times(ratio) : `${number(ratio)} × ${unit.replace(/^x /, '')}`;
      return [name, ns === undefined ? '' : time(ns), /^(ns|ms)$/.test(unit) ? '' : share];
    }),
    ['-', '-:', '-'],
  );
}

const inMemory = (results) =>
  operations(results, [
    ['`append()` of a number, each published', 'append, each published, nobody waiting'],
    ['`write()` of 64 numbers and one `publish()`, per entry', 'write x64 then publish, per entry'],
    ['`appendBatch()` of 64 numbers, per entry', 'appendBatch(64), per entry'],
    ['`appendBatch()` of 4096 numbers, per entry', 'appendBatch(4096), per entry'],
    ['the same, in shared memory', 'appendBatch(4096), per entry, in shared mapping'],
    ['`append()` of a record of five numbers', 'append of a record with five columns'],
    ['64 such records in a batch, per record', 'appendBatch of 64 records with five columns, per record'],
    [
      'the same as columns, per record',
      'appendBatch of 64 records with five columns, as columns, per record',
    ],
    ['`append()` of four numbers and a string', 'append, record of four numbers and a string'],
    ['64 such records in a batch, per record', 'appendBatch of 64 such records, per entry'],
    ['`append()` of a string of 12 bytes', 'append, string of 12 bytes'],
    ['`append()` of an object through `json()`', 'append, object as JSON'],
    ['`append()` from a native thread', 'native producer: append, each published', 'bare loop'],
  ]);

const reading = (results) =>
  operations(results, [
    ['`refresh()`, nothing new', 'refresh(), nothing new'],
    ['`snapshot()` and `close()`, 17 segments', 'snapshot() + close(), 17 segments, nothing rolled'],
    ['a sum over `chunks()`, per entry', 'sum over chunks(), f64, per entry'],
    [
      'two fields of five through `chunk.column()`, per record',
      'reading two fields of five through chunk.column(), per record',
    ],
    [
      'two fields of five through `cursor()`, per record',
      'reading two fields of five through cursor(), per record',
    ],
    [
      'two fields of five through `rows()`, per record',
      'reading two fields of five through for ... of snapshot.rows(), per record',
    ],
    ['`at(i)` of a string of 12 bytes', 'at(i), string of 12 bytes'],
    ['`latest()`', 'latest()'],
  ]);

const WAYS = [
  'atomic-log, polled every ms',
  'atomic-log, follow()',
  'ringbuf.js, polled every ms',
  'MessagePort',
  'BroadcastChannel',
];

function peers({ peer }) {
  const readers = [1, 3, 4, 8];
  const rows = WAYS.map((way) => [
    way,
    ...readers.map((count) =>
      way.startsWith('ringbuf') && count > 1
        ? 'one reader only'
        : `${time(peer(EACH, count, way).ns)} (${times(peer(EACH, count, way).ratio)})`,
    ),
  ]);
  return table(['way', ...readers.map((count) => `${count} reader${count > 1 ? 's' : ''}`)], rows);
}

function durable({ operation }) {
  const ways = [
    ['`Wal.append`', 'Wal.append'],
    ['`Wal.write`, and one `sync`', 'Wal.write, and one sync'],
    ['`Wal.appendBatch` of Buffers', 'Wal.appendBatch'],
    ['`Wal.appendBatch(bytes, lengths)`', 'Wal.appendBatch(bytes, lengths)'],
    ['lmdb, `flushed` awaited', 'lmdb'],
    ['better-sqlite3, `synchronous = FULL`', 'better-sqlite3'],
    ['classic-level, `sync: true`', 'classic-level'],
    ['bare `pwrite` and `fdatasync`', 'bare pwrite + fdatasync'],
  ];
  const cell = ({ perSecond, ratio }) => `${rate(perSecond)} (${times(1 / ratio)})`;
  return table(
    ['way', 'warm', 'the first 100,000 of a process'],
    ways.map(([name, row]) => [
      name,
      cell(operation(`${row}, 128 B each, warm`)),
      cell(operation(`${row}, 128 B each, the first 100,000 of a process`)),
    ]),
  );
}

function waiting(results) {
  return operations(results, [
    ['`Wal.appendSync()` of 128 bytes', 'Wal.appendSync of 128 B'],
    [
      '64 appenders, one entry each under way: median until durable',
      'Wal.append, 64 appenders of 128 B, one entry each under way: until it is durable, median',
    ],
    [
      'the same: 99 of 100 are durable after',
      'Wal.append, 64 appenders of 128 B, one entry each under way: until it is durable, 99 of 100',
    ],
    [
      'three logs written in turn in one thread, per entry',
      'append, each published, three logs in one thread, in turn, beside one log alone',
    ],
  ]);
}

/** Several syncs at once, next to one at a time. */
function lanes(results) {
  const rows = [2, 4].map((count) => [
    count,
    times(results.operation(`bare writes of one entry of 128 B, ${count} syncs at once, each`).ratio),
    times(
      results.operation(`64 entries in ${count} bare writes and ${count} syncs at once, per entry`).ratio,
    ),
  ]);
  const head = ['syncs at once', 'a sync takes', '64 entries, one part in each sync, take'];
  return `${table(head, rows)}\n\nNext to one sync at a time. ${where(results)}`;
}

/** What each block is made by. */
export const figures = {
  'in-short': inShort,
  'in-memory': inMemory,
  reading,
  peers,
  durable,
  waiting,
  lanes,
  where,
};

const MARKED = /(<!-- figures: ([\w-]+) -->\n)[^]*?(<!-- \/figures -->)/g;

/** The text with every marked part as the results are now. */
export function withFigures(text, results) {
  return text.replace(MARKED, (_, before, name, after) => {
    if (!Object.hasOwn(figures, name)) throw new Error(`no figures are called '${name}'`);
    return `${before}\n${figures[name](results)}\n\n${after}`;
  });
}

/** The text without what is generated. */
export const withoutFigures = (text) => text.replace(MARKED, '');
