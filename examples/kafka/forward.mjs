// Carries a log to a topic of Kafka, next to its writer. Make the topic first, with one partition, for this log alone:
//
//   kafka-topics.sh --create --topic orders --partitions 1 --replication-factor 3 --config min.insync.replicas=2
//     --config retention.ms=-1 --config cleanup.policy=delete --config unclean.leader.election.enable=false
//
//   npm install @platformatic/kafka@2
//   node examples/kafka/forward.mjs DIRECTORY TOPIC BROKER:PORT...
import { randomUUID } from 'node:crypto';
import { Consumer, Producer } from '@platformatic/kafka';
import { forward, WalCursor, WalReader } from 'atomic-log';
import { KafkaTarget } from './target.mjs';

const [directory, topic, ...bootstrapBrokers] = process.argv.slice(2);
// More than one retry, or the idempotent producer takes as many as there are numbers, and never says that it failed.
const base = { clientId: 'atomic-log', bootstrapBrokers, retries: 2, timeout: 5000 };
const target = new KafkaTarget({
  topic,
  consumer: new Consumer({ ...base, groupId: `atomic-log-${randomUUID()}` }),
  makeProducer: () => new Producer({ ...base, idempotent: true }),
});

const source = await WalReader.open(directory, { wait: true });
const cursor = await WalCursor.open(directory, 'kafka');
const onRetry = (error, { attempt }) => attempt === 1 && console.error(`interrupted: ${error.message}`);
await forward(source, { target, cursor, inFlight: 1, onRetry });
