/** A relative path names what it named when it was given. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';

import { runInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();

// In a process of its own: the working directory is that of all threads.
test('process.chdir() changes nothing for what is open', () => {
  const [here, there] = [directory.path('here'), directory.path('there')];
  mkdirSync(here);
  mkdirSync(there);
  const told = runInChild(`
    const { salvage, SegmentReader, SegmentTail, SegmentWriter, Wal, WalReader } = require(${JSON.stringify(packageRoot)});
    const { isAbsolute } = require('node:path');
    (async () => {
      process.chdir(${JSON.stringify(there)});
      const other = Wal.openSync('log', { segmentBytes: 8192 });
      other.appendSync(Buffer.from('other'));
      other.closeSync();

      process.chdir(${JSON.stringify(here)});
      const wal = await Wal.open('log', { segmentBytes: 8192 });
      for (let i = 0; i < 20; ++i) wal.write(Buffer.alloc(1000));
      wal.syncSync();
      const reader = WalReader.open('./log');
      const found = salvage('../here/log');
      const segment = SegmentWriter.createSync('events.seg', { size: 4096, headerSize: 4 });
      segment.append(Buffer.from('a'), Buffer.from('head'));
      segment.syncSync();
      const tail = SegmentTail.open('events.seg', { headerSize: 4 });
      const events = SegmentReader.open('events.seg', { headerSize: 4, mode: 'pread' });

      process.chdir(${JSON.stringify(there)});
      for (let i = 0; i < 20; ++i) await wal.append(Buffer.alloc(1000));
      wal.checkpointSync(30);
      wal.truncateAfterSync(35);
      reader.refresh();
      const copied = wal.backup('copy');
      process.chdir('/');
      await copied;
      segment.replaceHeaderSync(0, Buffer.from('HEAD'));
      await wal.close();
      console.log(JSON.stringify({
        reader: [reader.firstLsn, reader.lastLsn, [...reader.entries()].length],
        salvaged: [...found].filter((one) => 'lsn' in one).length,
        segments: [tail.next().header.toString(), events.read(0).header.toString()].map(String),
        absolute: [wal.path, reader.path].map(isAbsolute),
      }));
      process.exit();
    })();`);
  const result = JSON.parse(told) as Record<string, unknown>;
  expect(result).toMatchObject({ reader: [31, 35, 5], salvaged: 5, absolute: [true, true] });
  expect(existsSync(directory.path('there/copy/wal-000001.log'))).toBe(false);
  expect(readdirSync(directory.path('there/copy')).length).toBeGreaterThan(0);
  // Besides, space that is kept for when the disk is full.
  const names = readdirSync(directory.path('there/log')).filter((name) => !name.endsWith('.new'));
  expect(names.sort()).toEqual(['LOCK', 'cursors', 'wal-000001.log']);
});
