// The inputs that fuzzing began with: pieces of files that the Rust crate wrote,
// and a change beside a file: `node seeds.mjs`. See segment_fuzz.cc for the bits.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
const fixture = (name) => readFileSync(new URL(`../../fixtures/seglog/${name}`, here));
const SEALS = 2;
const DISCARDS = 4;
const HAS_PENDING = 16;

function pending(offset, zeroEnd, before, after) {
  const fixed = Buffer.alloc(28);
  fixed.write('ALOGCHG1');
  fixed.writeBigUInt64LE(BigInt(offset), 8);
  fixed.writeBigUInt64LE(BigInt(zeroEnd), 16);
  fixed.writeUInt32LE(before.length, 24);
  return Buffer.concat([fixed, before, after, Buffer.alloc(4)]);
}

function input({ start = 0, header = 0, bits = 0, beside = Buffer.alloc(0), file }) {
  return Buffer.concat([Buffer.from([start, header, bits, beside.length]), beside, file]);
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
    bits: SEALS + HAS_PENDING,
    beside: pending(8, 150, h0.subarray(8, 16), Buffer.alloc(8)),
    file: h0,
  }),
};

mkdirSync(new URL('corpus/segment/', here), { recursive: true });
for (const [name, bytes] of Object.entries(seeds)) {
  writeFileSync(new URL(`corpus/segment/seed-${name}`, here), bytes);
}
