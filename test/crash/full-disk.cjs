// Fills the disk that is the current directory, with a log and with a ballast, and
// frees it again: node full-disk.cjs <package> <segmentBytes> <entryBytes> given|kept
// all|newest|half. All of it is let go of, all but the newest file, half of the files.
// `kept`: only the first opening says how long files are.
const assert = require('node:assert/strict');
const fs = require('node:fs');

const { Wal, WalReader, salvage } = require(process.argv[2]);
const segmentBytes = Number(process.argv[3]);
const entryBytes = Number(process.argv[4]);
const again = process.argv[5] === 'given' ? { segmentBytes } : {};
const what = process.argv[6];

/** Tells what entry `lsn` must be from its LSN alone. */
function entry(lsn) {
  const bytes = Buffer.alloc(entryBytes, lsn % 251);
  bytes.writeDoubleLE(lsn);
  return bytes;
}

function isNoSpace(error) {
  assert.equal(error.code, 'ERR_NO_SPACE', error.stack);
  assert.match(error.message, /checkpoint\(wal\.files\[0\]\.lastLsn\)/);
  return true;
}

/** Appends until nothing more fits. */
function fill(wal) {
  for (;;) {
    const lsn = wal.lastLsn + 1;
    try {
      assert.equal(wal.appendSync(entry(lsn)), lsn);
    } catch (error) {
      isNoSpace(error);
      assert.equal(wal.lastLsn, lsn - 1, 'no LSN was taken');
      return;
    }
  }
}

/** Room for a file more, once it goes. */
function reserve() {
  fs.writeFileSync('ballast', Buffer.alloc(segmentBytes + 65536));
}

function freeBytes() {
  const { bfree, bsize } = fs.statfsSync('.');
  return bfree * bsize;
}

function takeTheRest() {
  const file = fs.openSync('ballast', 'a');
  for (const bytes of [65536, 4096]) {
    try {
      for (;;) fs.writeSync(file, Buffer.alloc(bytes, 1));
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
  }
  fs.closeSync(file);
}

function check(entries, first, last) {
  let lsn = first;
  for (const found of entries) {
    assert.equal(found.lsn, lsn);
    assert.ok(entry(lsn).equals(found.data), `entry ${lsn}`);
    ++lsn;
  }
  assert.equal(lsn - 1, last);
}

/** What everybody must see who looks at the closed log. */
function checkClosed(first, last) {
  const reader = WalReader.open('log');
  assert.equal(reader.lastLsn, last);
  check(reader.entries(), first, last);
  reader.close();
  const left = salvage('log');
  check(left, first, last);
  assert.equal(left.damage, undefined);
}

async function appendsAreRefused(wal) {
  const last = wal.lastLsn;
  await assert.rejects(wal.append(entry(last + 1)), isNoSpace);
  await assert.rejects(wal.appendBatch([entry(last + 1)]), isNoSpace);
  assert.throws(() => wal.appendSync(entry(last + 1)), isNoSpace);
  assert.equal(wal.lastLsn, last);
  assert.equal(wal.durableLsn, last);
}

/** Fills the disk, and hands over the log as a restart finds it. */
async function fillAndReopen() {
  reserve();
  let wal = Wal.openSync('log', { segmentBytes });
  fill(wal);
  takeTheRest();
  const last = wal.lastLsn;
  assert.ok(last > 0);
  await appendsAreRefused(wal);
  check(wal.entries(), 1, last);
  await wal.close();
  checkClosed(1, last);
  for (let i = 0; i < 4; ++i) {
    wal = await Wal.open('log', { ...again, verifyOnOpen: i === 0 });
    assert.deepEqual([wal.firstLsn, wal.lastLsn], [1, last]);
    check(wal.entries(), 1, last);
    await appendsAreRefused(wal);
    wal.closeSync();
    checkClosed(1, last);
  }
  return Wal.openSync('log', again);
}

async function main() {
  let wal = await fillAndReopen();
  const last = wal.lastLsn;
  const files = wal.files;
  // It holds the files open that it has read last.
  check(wal.entries(), 1, last);
  const free = freeBytes();
  const kept = { all: 1, newest: files.at(-1).firstLsn, half: files[files.length >> 1].firstLsn }[what];
  wal.checkpointSync(kept > 1 ? kept - 1 : last);
  // The writer did not know yet that there is no room for another file.
  if (wal.files[0].number === 1) {
    fill(wal);
    wal.checkpointSync(wal.files[0].lastLsn);
  }
  assert.ok(wal.files[0].number > 1, 'a file was freed');
  const gone = files.filter(({ path }) => !fs.existsSync(path)).length;
  // The spare is made again.
  assert.ok(freeBytes() - free >= gone * segmentBytes - 2 * 8192, 'its space is free');
  const first = wal.firstLsn;
  // Into what the log itself has given back, also after a restart.
  if (what !== 'half') {
    await wal.close();
    checkClosed(first, wal.lastLsn);
    wal = Wal.openSync('log', again);
  }
  fill(wal);
  const middle = wal.lastLsn;
  assert.ok(middle >= last);
  wal.closeSync();
  checkClosed(first, middle);
  fs.rmSync('ballast');
  wal = Wal.openSync('log', again);
  check(wal.entries(), first, middle);
  for (let lsn = middle + 1; lsn < middle + 4; ++lsn) assert.equal(await wal.append(entry(lsn)), lsn);
  const lengths = wal.files.map((file) => fs.statSync(file.path).size);
  assert.ok(
    lengths.every((bytes) => bytes === segmentBytes || bytes === 8184),
    `files of ${[...new Set(lengths)].join()} bytes`,
  );
  await wal.close();
  checkClosed(first, middle + 3);
  console.log('as it was');
}

void main();
