/**
 * Curves of the write-ahead log, as in growth-memory.mjs. `prepare` makes the log
 * of one value once; `measure` opens it in a process of its own, again and again.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Wal, WalReader } from '../dist/index.mjs';
import { median, quantile, time } from './measure.mjs';

const diskPlace = process.env.BENCH_DIR ?? tmpdir();
/** The disk is not asked about the number of files, and making so many durable would take minutes. */
const memoryPlace = process.env.BENCH_DIR ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());

/** Runs before those that count: what is called often is compiled late. */
const WARM_NS = 5e7;

/** Warm; the quicker runs count: other work on the machine only makes a run slower. */
function repeated(operations, run) {
  const runs = (times) => {
    for (let i = 0; i < times; ++i) run();
  };
  for (let spent = 0; spent < WARM_NS;) spent += time(runs, operations) * operations;
  return quantile(
    Array.from({ length: 15 }, () => time(runs, operations)),
    0.25,
  );
}

/** What reading any entry reads, in the middle: the part of the file from the last place that is known. */
const READ_BYTES = 1 << 15;

/** The same reads without a log: of any place in files that are opened for each, as most are where there are many. */
function readsOf(files) {
  const bytes = Buffer.alloc(READ_BYTES);
  let turn = 0;
  return () => {
    const file = files[(++turn * 7919) % files.length];
    const used = (file.lastLsn - file.firstLsn + 1) * 4096;
    const places = Math.max(1, Math.floor((used - READ_BYTES) / 4096));
    const descriptor = openSync(file.path);
    readSync(descriptor, bytes, 0, READ_BYTES, ((turn * 7919) % places) * 4096);
    closeSync(descriptor);
  };
}

/** Nanoseconds of what opens something; it is closed outside of the measurement. */
function opening(times, open, close) {
  const samples = Array.from({ length: times }, () => {
    let opened;
    const ns = time(() => (opened = open()), 1);
    close(opened);
    return ns;
  });
  return median(samples);
}

/** What readers and the writer of a log do, whatever there is in it. */
function readings(path, wal, reader) {
  const { firstLsn, lastLsn } = wal;
  const count = lastLsn - firstLsn + 1;
  // The first read of an entry in a file reads all before it, once: what finds the next ones is made then.
  for (const file of wal.files) if (file.lastLsn >= file.firstLsn) wal.get(file.lastLsn);
  let turn = 0;
  /** Any entry: a step that visits all of them. */
  const anyLsn = () => firstLsn + ((++turn * 7919) % count);
  return {
    'WalReader.refresh(), nothing new': repeated(500, () => reader.refresh()),
    'WalReader.get of the last entry': repeated(500, () => reader.get(lastLsn)),
    'Wal.get of the last entry': repeated(500, () => wal.get(lastLsn)),
    'Wal.get of the first entry': repeated(500, () => wal.get(firstLsn)),
    'Wal.get of any entry': repeated(200, () => wal.get(anyLsn())),
    'opening any file and reading 32 KiB of it, without a log': repeated(200, readsOf(wal.files)),
    'Wal.stats()': repeated(500, () => wal.stats()),
  };
}

/** Why reading any entry may take longer where there is more. */
const READS =
  'the up to 64 KiB before it are read, from as much memory: bare reads rise where it does; and a file that is not among the last four is opened, and its header checked';

const FILE_ENTRY = Buffer.alloc(3800, 7);
const files = {
  grows: 'files of a write-ahead log, of one entry each',
  values: [10, 100, 1000],
  more: [10_000],
  disk: (count) => 10_000 * count,
  place: memoryPlace,
  why: { 'Wal.get of any entry': READS },
  prepare(count, path) {
    const wal = Wal.openSync(path, { segmentBytes: 8192 });
    while (wal.lastLsn < count) wal.write(FILE_ENTRY);
    wal.closeSync();
  },
  measure(count, path) {
    const open = () => Wal.openSync(path);
    const openReader = () => WalReader.open(path);
    const opened = {
      'Wal.openSync, per file': opening(5, open, (wal) => wal.closeSync()) / count,
      'WalReader.open, per file': opening(5, openReader, (reader) => reader.close()) / count,
    };
    const wal = open();
    const reader = openReader();
    const result = {
      ...opened,
      ...readings(path, wal, reader),
      // The number of files stays the same.
      'an entry that begins a file, and a checkpoint that drops one': repeated(5, () => {
        wal.appendSync(FILE_ENTRY);
        wal.checkpointSync(wal.firstLsn);
      }),
    };
    reader.close();
    wal.closeSync();
    return result;
  },
};

/** Why opening may take longer: the values end in files that are full to a different degree. */
const NEWEST =
  'all of the newest file is read, 64 MiB: it takes longer where more of it are entries, whose checksums are computed';

const ENTRY = Buffer.alloc(4096 - 40, 7);
const bytes = {
  grows: 'bytes of a write-ahead log, in files of 64 MiB and entries of 4 KiB',
  values: [1e6, 1e7, 1e8],
  more: [1e9, 1e10],
  // The last file is there in full.
  disk: (size) => size + (1 << 27),
  place: diskPlace,
  why: {
    'Wal.get of any entry': READS,
    'opening any file and reading 32 KiB of it, without a log': 'the caches of the processor',
    'WalReader.open': NEWEST,
    'Wal.openSync': NEWEST,
  },
  async prepare(size, path) {
    const wal = await Wal.open(path);
    const entries = Math.ceil(size / (ENTRY.length + 40));
    for (let i = 0; i < entries; i += 1000) {
      for (let j = i; j < Math.min(entries, i + 1000); ++j) wal.write(ENTRY);
      await wal.sync();
    }
    await wal.close();
  },
  async measure(size, path) {
    const open = () => Wal.openSync(path);
    const openReader = () => WalReader.open(path);
    const opened = {
      'Wal.openSync': opening(3, open, (wal) => wal.closeSync()),
      'WalReader.open': opening(3, openReader, (reader) => reader.close()),
    };
    const wal = open();
    const reader = openReader();
    const from = Math.max(wal.firstLsn, wal.lastLsn - 200);
    const lastOnes = wal.lastLsn - from + 1;
    const result = {
      ...opened,
      ...readings(path, wal, reader),
      'entries() of the last 200, each': repeated(1, () => [...wal.entries({ from })]) / lastOnes,
    };
    reader.close();
    const group = async () => {
      const begin = process.hrtime.bigint();
      for (let i = 0; i < 64; ++i) wal.write(ENTRY);
      await wal.sync();
      return Number(process.hrtime.bigint() - begin) / 64;
    };
    const groups = [];
    for (let i = 0; i < 9; ++i) groups.push(await group());
    // As large as before for the next process, but for the room of the last file.
    await wal.truncateAfter(reader.lastLsn);
    await wal.close();
    return { ...result, 'write of 64 entries and sync(), each': median(groups) };
  },
};

export const curves = { files, bytes };
