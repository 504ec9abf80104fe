// A topic of Kafka with one partition, as far as examples/kafka uses one: what a broker does with the sequence numbers of
// producers, and what a client of @platformatic/kafka 2 does with them.
const REQUESTS_KNOWN = 5;

/** `random()` decides about faults: below `faults`, each call of a client goes wrong in one of the ways that calls do. */
export class Topic {
  /** What was stored: { value, headers }, by offset. */
  records = [];
  /** Of the first record that retention has left. */
  first = 0;
  /** Calls, in order. */
  calls = [];
  partitions = 1;
  #requests = new Map();
  #producers = 0;

  constructor({ random = Math.random, faults = 0 } = {}) {
    this.random = random;
    this.faults = faults;
  }

  isFaulty() {
    return this.random() < this.faults;
  }

  /** What the broker does with a request: the same numbers again are taken for the same records. */
  store(producer, sequence, messages) {
    const known = this.#requests.get(producer) ?? [];
    const same = known.find((each) => each.sequence === sequence && each.count === messages.length);
    if (same !== undefined) return same.offset;
    const next = known.length === 0 ? sequence : known.at(-1).sequence + known.at(-1).count;
    if (sequence !== next)
      throw Object.assign(new Error('out of order'), { apiId: 'OUT_OF_ORDER_SEQUENCE_NUMBER' });
    const offset = BigInt(this.records.length);
    this.records.push(...messages);
    this.#requests.set(
      producer,
      [...known, { sequence, count: messages.length, offset }].slice(-REQUESTS_KNOWN),
    );
    return offset;
  }

  makeProducer = () => {
    const id = ++this.#producers;
    this.calls.push(['producer', id]);
    let sequence = 0;
    return {
      close: async () => {},
      send: async ({ messages, acks }) => {
        this.calls.push(['send', id, messages.length, acks]);
        if (this.refusal !== undefined)
          throw Object.assign(new AggregateError([{ apiId: this.refusal }], 'produce failed'));
        const copies = messages.map(({ value, headers }) => ({ value: Buffer.from(value), headers }));
        const store = () => this.store(id, sequence, copies);
        const way = this.isFaulty() ? Math.floor(this.random() * 3) : -1;
        if (way === 1) store();
        // Whoever sent it may be gone when it arrives.
        if (way === 2) {
          const at = sequence;
          setTimeout(() => {
            try {
              this.store(id, at, copies);
            } catch {
              // The broker refused it; there is no one to be told.
            }
          }, this.random() * 10);
        }
        if (way >= 0) throw new Error('the connection was lost');
        const offset = store();
        // Only a request that was acknowledged counts.
        sequence += messages.length;
        return { offsets: [{ topic: 'log', partition: 0, offset }] };
      },
    };
  };

  consumer = {
    listOffsets: async ({ topics, timestamp }) => {
      this.calls.push(['listOffsets', timestamp]);
      if (this.isFaulty()) throw new Error('the connection was lost');
      const offset = BigInt(timestamp === -1n ? this.records.length : this.first);
      return new Map([[topics[0], Array(this.partitions).fill(offset)]]);
    },
    consume: async ({ offsets: [{ offset }], autocommit }) => {
      this.calls.push(['consume', offset, autocommit]);
      if (this.isFaulty()) throw new Error('the connection was lost');
      return Object.assign(this.messages(Number(offset)), { close: async () => {} });
    },
  };

  async *messages(from = 0) {
    for (let at = from; at < this.records.length; ++at) {
      const { value, headers } = this.records[at];
      yield { offset: BigInt(at), value, headers };
    }
  }
}
