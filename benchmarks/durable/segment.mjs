// What does one record of a segment file cost, written and read?
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SegmentReader, SegmentWriter } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const ROUNDS = 15;
const WARMUP = 3;
const RECORDS = 100_000;
const PER_BATCH = 100;
const RANDOM_READS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'atomic-log-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A writer with room for all rounds. */
function writerFor(name, bytes) {
  const size = (ROUNDS + WARMUP) * RECORDS * (bytes + 8) + 8;
  return SegmentWriter.createSync(join(folder, name), { size });
}

/** A synced file of `count` records, its reader, and the offsets. */
function readerOf(name, bytes, count) {
  const path = join(folder, name);
  const writer = SegmentWriter.createSync(path, { size: count * (bytes + 8) + 8 });
  const data = Buffer.alloc(bytes, 7);
  const offsets = Array.from({ length: count }, () => writer.append(data).offset);
  writer.syncSync();
  const reader = SegmentReader.open(path, { flushed: writer.flushedOffset });
  return { path, reader, offsets };
}

const data64 = Buffer.alloc(64, 7);
const single = writerFor('single', 64);
const arrays = writerFor('arrays', 64);
const packed = writerFor('packed', 64);
writerFor('written', 64).close();
writerFor('pieces', 64).close();
const buffers = Array.from({ length: PER_BATCH }, () => data64);
const bytes = Buffer.alloc(64 * PER_BATCH, 7);
const lengths = new Uint32Array(PER_BATCH).fill(64);
const sequential = readerOf('sequential', 64, RECORDS);
const random = readerOf('random', 256, RECORDS);
/** Offsets in an order without pattern, the same for both. */
let position = 12345;
const shuffled = random.offsets.map(() => {
  position = (position * 1103515245 + 12345) % 2 ** 31;
  return random.offsets[position % RECORDS];
});
const descriptor = openSync(random.path, 'r');
const bytesRead = Buffer.alloc(2048);
/** What any way of writing the same bytes costs: 64 KiB at a time, over a file that is there. */
const written = openSync(join(folder, 'written'), 'r+');
const piece = Buffer.alloc(65_536, 7);
let writtenAt = 0;
/** The same, as many whole records at a time as fit into 64 KiB. */
const inPieces = openSync(join(folder, 'pieces'), 'r+');
const RECORDS_PER_PIECE = 910;
let piecesAt = 0;

const figure = compare(
  {
    E: emptyCall,
    R: {
      operations: RANDOM_READS,
      run(operations) {
        for (let i = 0; i < operations; ++i) readSync(descriptor, bytesRead, 0, 2048, shuffled[i]);
      },
    },
    write: {
      operations: 110,
      per: 65_536 / 72,
      run(operations) {
        for (let i = 0; i < operations; ++i, writtenAt += piece.length) {
          writeSync(written, piece, 0, piece.length, writtenAt);
        }
      },
    },
    pieces: {
      operations: RECORDS / RECORDS_PER_PIECE,
      per: RECORDS_PER_PIECE,
      run(operations) {
        const length = RECORDS_PER_PIECE * 72;
        for (let i = 0; i < operations; ++i, piecesAt += length) {
          writeSync(inPieces, piece, 0, length, piecesAt);
        }
      },
    },
    append: {
      operations: RECORDS,
      run(operations) {
        for (let i = 0; i < operations; ++i) single.append(data64);
      },
    },
    arrays: {
      operations: RECORDS / PER_BATCH,
      per: PER_BATCH,
      run(operations) {
        for (let i = 0; i < operations; ++i) arrays.appendBatch(buffers);
      },
    },
    packed: {
      operations: RECORDS / PER_BATCH,
      per: PER_BATCH,
      run(operations) {
        for (let i = 0; i < operations; ++i) packed.appendBatch(bytes, lengths);
      },
    },
    records: {
      operations: RECORDS,
      run() {
        let sum = 0;
        for (const record of sequential.reader.records()) sum += record.length;
        return sum;
      },
    },
    data: {
      operations: RECORDS,
      run() {
        let sum = 0;
        for (const { data } of sequential.reader.records()) sum += data[0];
        return sum;
      },
    },
    again: {
      operations: RANDOM_READS,
      run(operations) {
        let sum = 0;
        for (let i = 0; i < operations; ++i) sum += random.reader.read(shuffled[0]).data[0];
        return sum;
      },
    },
    random: {
      operations: RANDOM_READS,
      run(operations) {
        let sum = 0;
        for (let i = 0; i < operations; ++i) sum += random.reader.read(shuffled[i]).data[0];
        return sum;
      },
    },
  },
  { rounds: ROUNDS, warmup: WARMUP },
);

const writing = `of which ${figure('write', 'E').ratio.toFixed(1)} E are the system's write of 72 bytes`;
const row = (operation, name, unit, target, note, reason) => ({
  operation,
  ...figure(name, unit),
  target,
  note,
  reason,
});
const inE = (name) => `${figure(name, 'E').ratio.toFixed(2)} E`;
const unaligned = `writing as many bytes to new pages takes ${inE('pieces')} of it where each write ends with a record, so that a killed process leaves no half of one, and ${inE('write')} where it ends with a page`;
report([
  row('segment append 64 B, buffered', 'append', 'E', 6, writing, unaligned),
  row('segment appendBatch(array of 100 Buffers), per record', 'arrays', 'E', 8, writing, unaligned),
  row('segment appendBatch(bytes, lengths) of 100, per record', 'packed', 'E', 3.5, writing, unaligned),
  row('segment records(), 64 B, per record', 'records', 'E', 10),
  row('segment records(), 64 B, and a view of the data', 'data', 'E', null),
  row(
    'segment random read 256 B, mapped; R = fs.readSync of 2 KiB',
    'random',
    'R',
    0.25,
    undefined,
    `reading the same record again and again takes ${figure('again', 'R').ratio.toFixed(3)} R; the rest is waiting for memory`,
  ),
]);
