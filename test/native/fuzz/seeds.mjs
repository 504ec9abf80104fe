// The inputs that fuzzing began with: pieces of files that the Rust crate wrote,
// and a redo file next to one: `node seeds.mjs`. See segment_fuzz.cc for the bits.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
const fixture = (name) => readFileSync(new URL(`../../fixtures/seglog/${name}`, here));
const SEALS = 2;
const DISCARDS = 4;
const HAS_REDO = 16;

function redo(offset, zeroEnd, before, after) {
  const fixed = Buffer.alloc(28);
  fixed.write('ALOGCHG1');
  fixed.writeBigUInt64LE(BigInt(offset), 8);
  fixed.writeBigUInt64LE(BigInt(zeroEnd), 16);
  fixed.writeUInt32LE(before.length, 24);
  return Buffer.concat([fixed, before, after, Buffer.alloc(4)]);
}

function input({ start = 0, header = 0, bits = 0, redoFile = Buffer.alloc(0), file }) {
  return Buffer.concat([Buffer.from([start, header, bits, redoFile.length]), redoFile, file]);
}

const h0 = fixture('h0.seg').subarray(0, 300);
const h8 = fixture('h8-start64.seg').subarray(0, 64 + 3 * 66 + 40);
const zstd = fixture('h8-zstd.seg').subarray(0, 400);
const seeds = {
  empty: input({ file: Buffer.alloc(64) }),
  records: input({ bits: 1, file: h0 }),
  'records-sealed': input({ bits: SEALS, file: h0 }),
  header: input({ start: 64, header: 8, bits: 1, file: h8 }),
  zstd: input({ header: 8, bits: 1, file: zstd }),
  'zstd-sealed': input({ header: 8, bits: SEALS, file: zstd }),
  torn: input({ bits: 1, file: fixture('h0-torn.seg').subarray(0, 700) }),
  damaged: input({ bits: 1, file: fixture('h0-damaged.seg').subarray(0, 700) }),
  discarded: input({ bits: DISCARDS, file: h0 }),
  truncated: input({
    bits: SEALS + HAS_REDO,
    redoFile: redo(8, 150, h0.subarray(8, 16), Buffer.alloc(8)),
    file: h0,
  }),
};

mkdirSync(new URL('corpus/segment/', here), { recursive: true });
for (const [name, bytes] of Object.entries(seeds)) {
  writeFileSync(new URL(`corpus/segment/seed-${name}`, here), bytes);
}

// Edits of a small write-ahead log; see wal_fuzz.cc for the bits.
const CUTS = 2;
const REMOVES = 4;

function edit({ file = 1, at, bits = 0, put = [] }) {
  const fixed = Buffer.from([file - 1, at & 255, at >> 8, bits, put.length]);
  return Buffer.concat([fixed, Buffer.from(put)]);
}

const record = 4096 + 56;
const walSeeds = {
  nothing: [],
  body: [edit({ at: record + 50, put: [1] })],
  'body-sealed': [edit({ at: record + 50, put: [1] }), edit({ at: record, bits: SEALS })],
  length: [edit({ at: record, bits: SEALS, put: [0, 0, 0, 0, 255, 255, 255, 0] })],
  lsn: [edit({ at: record, bits: SEALS, put: [0, 0, 0, 0, 16, 0, 0, 0, 9] })],
  header: [edit({ file: 2, at: 48, bits: SEALS, put: [9] })],
  short: [edit({ file: 3, at: 4000, bits: CUTS })],
  missing: [edit({ file: 2, at: 0, bits: REMOVES })],
  oldest: [edit({ file: 3, at: 72, bits: SEALS, put: [3] }), edit({ file: 1, at: 0, bits: REMOVES })],
};

mkdirSync(new URL('corpus/wal/', here), { recursive: true });
for (const [name, edits] of Object.entries(walSeeds)) {
  writeFileSync(new URL(`corpus/wal/seed-${name}`, here), Buffer.concat([Buffer.from([1]), ...edits]));
}
