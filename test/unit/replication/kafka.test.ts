/** The example that carries a log to Kafka, with a double of its client: no broker was there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sized } from '../../support/sizes';

const SEEDS = sized('KAFKA_SEEDS', { small: 5, long: 100 });

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kafka-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** The example is made of modules, which tests cannot load. */
function resultOf(scenario: string, ...more: string[]): unknown {
  const file = join(__dirname, 'kafka-scenario.mjs');
  const parameters = [file, scenario, join(directory, scenario), ...more];
  return JSON.parse(execFileSync(process.execPath, parameters, { encoding: 'utf8' }));
}

test('a call is one request to all replicas; the last record says where to go on', () => {
  expect(resultOf('plain')).toEqual({
    calls: ['producer 1', 'listOffsets -2', 'listOffsets -1', 'send 1 6 -1'],
    again: ['producer 2', 'listOffsets -2', 'listOffsets -1', 'consume 5 false', 'send 2 3 -1'],
    read: [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ],
  });
});

test('answers that are lost, requests that come late and records that are lost: readers get each entry once', () => {
  expect(resultOf('faults', String(SEEDS))).toEqual({ isSame: true, hasRepeated: true });
});

test('what was truncated, and what another producer has stored, end it', () => {
  expect(resultOf('truncated')).toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 6 });
  expect(resultOf('other producer')).toEqual({
    stored: 'the records are at offset 4, not 3',
    then: {
      code: 'ERR_TARGET_DIFFERS',
      message: 'the record at offset 3 was produced by something else',
    },
  });
});

test('a topic that cannot take the log is refused, with what to change', () => {
  const code = 'ERR_TARGET_REFUSED';
  expect(resultOf('retention')).toMatchObject({
    code,
    message: expect.stringContaining('set retention.ms and retention.bytes to -1') as string,
  });
  expect(resultOf('partitions')).toMatchObject({
    code,
    message: 'topic log must have one partition; it has 3',
  });
  expect(resultOf('several at once')).toMatchObject({
    code,
    message: 'forward() to Kafka takes inFlight: 1',
  });
  expect(resultOf('too large')).toMatchObject({
    atStart: {
      code,
      message: expect.stringMatching(/takes 1048588 bytes: raise max\.message\.bytes/) as string,
    },
    later: { code, message: 'topic log does not take the entries: MESSAGE_TOO_LARGE' },
  });
});

test('a reader goes on after a position, passes over what comes again, and tells what is missing', () => {
  expect(resultOf('reading')).toEqual({
    from: [[5, 6]],
    repeated: [
      [1, 2, 3],
      [4, 5, 6],
    ],
    missing: { code: 'ERR_ENTRIES_LOST', message: 'entries 4 to 4 are missing' },
  });
});
