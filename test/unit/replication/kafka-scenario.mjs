// One thing that can happen to a log that is carried to Kafka; prints what came of it.
//   node kafka-scenario.mjs NAME DIRECTORY [SEEDS]
import { setTimeout as pause } from 'node:timers/promises';
import { forward, Wal } from 'atomic-log';
import { entriesOf, KafkaTarget } from '../../../examples/kafka/target.mjs';
import { Topic } from './kafka-double.mjs';

const [name, directory, seeds = '1'] = process.argv.slice(2);
const quick = { inFlight: 1, retryMs: 1, retryMsMax: 4 };

function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function append(wal, count, batch = 3) {
  const { lastLsn } = wal;
  const appended = [];
  for (let i = 0; i < count; i += batch) {
    const entries = Array.from({ length: batch }, (_, j) => Buffer.from(`${lastLsn + i + j}`));
    appended.push(wal.appendBatch(entries));
  }
  await Promise.all(appended);
}

const targetOf = (topic, options = {}) =>
  new KafkaTarget({ topic: 'log', consumer: topic.consumer, makeProducer: topic.makeProducer, ...options });

/** Until all is acknowledged. */
async function carry(wal, topic, options = {}) {
  const controller = new AbortController();
  const onProgress = ({ acknowledged }) => acknowledged === wal.lastLsn && controller.abort('done');
  const { signal } = controller;
  await forward(wal, { target: targetOf(topic), ...quick, ...options, signal, onProgress }).catch((error) => {
    if (error !== 'done') throw error;
  });
}

async function read(topic, from) {
  const lsns = [];
  for await (const entries of entriesOf(topic.messages(), from)) lsns.push(entries.map(({ lsn }) => lsn));
  return lsns;
}

const isSame = async (topic, wal) => {
  const found = [];
  for await (const entries of entriesOf(topic.messages())) found.push(...entries);
  return (
    found.length === wal.lastLsn &&
    [...wal.entries()].every(
      ({ data, position }, i) => data.equals(found[i].data) && position === found[i].position,
    )
  );
};

const errorOf = (promise) =>
  promise.then(
    () => undefined,
    ({ code, message, lsn }) => ({ code, message, lsn }),
  );

const scenarios = {
  async plain(wal) {
    const topic = new Topic();
    await append(wal, 6);
    await carry(wal, topic);
    const calls = topic.calls.map((call) => call.join(' '));
    topic.calls = [];
    await append(wal, 3);
    await carry(wal, topic);
    return { calls, again: topic.calls.map((call) => call.join(' ')), read: await read(topic) };
  },

  async faults() {
    const results = { isSame: true, hasRepeated: false };
    for (let seed = 1; seed <= Number(seeds); ++seed) {
      const wal = await Wal.open(`${directory}-${seed}`);
      const topic = new Topic({ random: randomFrom(seed), faults: 0.4 });
      for (let round = 0; round < 12; ++round) {
        await append(wal, 12);
        // A new target each time: as if the process had been killed.
        await carry(wal, topic, { batchEntries: 3 });
        // What only one broker had, which did not come back.
        if (round % 4 === 3) topic.records.splice(-2);
      }
      topic.faults = 0;
      await pause(15);
      await carry(wal, topic);
      results.isSame &&= await isSame(topic, wal);
      results.hasRepeated ||= topic.records.length > wal.lastLsn;
      await wal.close();
    }
    return results;
  },

  async retention(wal) {
    const topic = new Topic();
    await append(wal, 6);
    await carry(wal, topic);
    topic.first = topic.records.length;
    return errorOf(carry(wal, topic));
  },

  async 'other producer'(wal) {
    const topic = new Topic();
    await append(wal, 3);
    const target = targetOf(topic);
    const options = { target, onRetry: () => {} };
    await carry(wal, topic, options);
    topic.records.push({ value: Buffer.from('x'), headers: new Map() });
    await append(wal, 3);
    // The same target, which has not looked since.
    const entries = [...wal.entries({ from: 4 })];
    const stored = await errorOf(target.send(entries));
    return { stored: stored.message, then: await errorOf(carry(wal, topic, options)) };
  },

  async truncated(wal) {
    const topic = new Topic();
    await append(wal, 6);
    await carry(wal, topic);
    await wal.truncateAfter(3);
    await append(wal, 3);
    return errorOf(carry(wal, topic));
  },

  async 'too large'(wal) {
    const topic = new Topic();
    topic.refusal = 'MESSAGE_TOO_LARGE';
    await append(wal, 3);
    let atStart;
    try {
      targetOf(topic, { entryBytesMax: 2 ** 20 });
    } catch ({ code, message }) {
      atStart = { code, message };
    }
    return { atStart, later: await errorOf(carry(wal, topic)) };
  },

  async partitions(wal) {
    const topic = new Topic();
    topic.partitions = 3;
    await append(wal, 3);
    return errorOf(carry(wal, topic));
  },

  async 'several at once'(wal) {
    const topic = new Topic();
    await append(wal, 6);
    return errorOf(carry(wal, topic, { inFlight: 2, batchEntries: 3 }));
  },

  async reading(wal) {
    const topic = new Topic();
    await append(wal, 6);
    await carry(wal, topic);
    const from = wal.get(4).position;
    const { records } = topic;
    const results = { from: await read(topic, from) };
    topic.records = [...records.slice(0, 5), ...records.slice(1)];
    results.repeated = await read(topic);
    topic.records = [...records.slice(0, 3), ...records.slice(4)];
    results.missing = await errorOf(read(topic));
    return results;
  },
};

const wal = await Wal.open(directory);
console.log(JSON.stringify(await scenarios[name](wal)));
await wal.close();
