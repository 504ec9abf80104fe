/**
 * The ways to make many small entries durable: the write-ahead log's, those of the
 * databases that Node programs use as a log, and the bare system calls. Each
 * says what is on disk when it says that an entry is.
 */
import { join } from 'node:path';
import { Wal } from '../dist/index.mjs';
import { bareFile, recordBytes } from './bare-file.mjs';

export const BYTES = 128;
/** Entries under way at a time, and in a transaction. */
export const IN_FLIGHT = 10_000;
const FILE_BYTES = 64 << 20;

const data = Buffer.alloc(BYTES, 7);
const openWal = (directory) => Wal.open(join(directory, 'wal'), { segmentBytes: FILE_BYTES });

/** Of each way: `open(directory)` resolves with a function that appends IN_FLIGHT entries and waits for them. */
export const ways = {
  'Wal.append': {
    durable: 'when its promise resolves: in the log, which was synced (fdatasync)',
    async open(directory) {
      const wal = await openWal(directory);
      return () => Promise.all(Array.from({ length: IN_FLIGHT }, () => wal.append(data)));
    },
  },
  'Wal.write, and one sync': {
    durable: 'when sync() resolves: in the log, which was synced (fdatasync)',
    async open(directory) {
      const wal = await openWal(directory);
      return () => {
        for (let i = 0; i < IN_FLIGHT; ++i) wal.write(data);
        return wal.sync();
      };
    },
  },
  'Wal.appendBatch': {
    durable: 'when its promise resolves: in the log, which was synced (fdatasync); all of them or none',
    async open(directory) {
      const wal = await openWal(directory);
      return () => wal.appendBatch(Array.from({ length: IN_FLIGHT }, () => data));
    },
  },
  'Wal.appendBatch(bytes, lengths)': {
    durable: 'when its promise resolves: in the log, which was synced (fdatasync); all of them or none',
    async open(directory) {
      const wal = await openWal(directory);
      const bytes = Buffer.alloc(BYTES * IN_FLIGHT, 7);
      const lengths = new Uint32Array(IN_FLIGHT).fill(BYTES);
      return () => wal.appendBatch(bytes, lengths);
    },
  },
  lmdb: {
    durable: 'when flushed resolves: in the tree, which was synced',
    async open(directory) {
      const { open } = await import('lmdb');
      const database = open(join(directory, 'lmdb'), { keyEncoding: 'uint32', encoding: 'binary' });
      let key = 0;
      return async () => {
        for (let i = 0; i < IN_FLIGHT; ++i) void database.put(++key, data);
        await database.flushed;
      };
    },
  },
  'classic-level': {
    durable: 'when batch() resolves: in its log, which was synced (sync: true); all of them or none',
    async open(directory) {
      const { ClassicLevel } = await import('classic-level');
      const database = new ClassicLevel(join(directory, 'level'), { valueEncoding: 'buffer' });
      await database.open();
      let key = 0;
      return () => {
        const puts = Array.from({ length: IN_FLIGHT }, () => {
          const name = String(++key).padStart(12, '0');
          return { type: 'put', key: name, value: data };
        });
        return database.batch(puts, { sync: true });
      };
    },
  },
  'better-sqlite3': {
    durable: 'when the transaction returns: in its log, which was synced (synchronous = FULL); all or none',
    async open(directory) {
      const { default: Database } = await import('better-sqlite3');
      const database = new Database(join(directory, 'sqlite'));
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.exec('CREATE TABLE log (lsn INTEGER PRIMARY KEY, data BLOB)');
      const insert = database.prepare('INSERT INTO log (data) VALUES (?)');
      return database.transaction(() => {
        for (let i = 0; i < IN_FLIGHT; ++i) insert.run(data);
      });
    },
  },
  'bare pwrite + fdatasync': {
    durable: 'when fdatasync returns; nothing could find an entry again',
    async open(directory) {
      const file = bareFile(join(directory, 'bare'));
      return () => file.run(1, IN_FLIGHT * recordBytes(BYTES));
    },
  },
};

/** What no way with a promise for each entry can do without: as many promises that settle together, and nothing else. */
export const promisesAlone = {
  async open() {
    let lsn = 0;
    const next = () => ++lsn;
    return () => {
      let settle;
      const done = new Promise((resolve) => (settle = resolve));
      setImmediate(settle);
      return Promise.all(Array.from({ length: IN_FLIGHT }, () => done.then(next)));
    };
  },
};
