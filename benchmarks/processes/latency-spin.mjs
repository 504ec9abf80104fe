// The spinning halves of latency.mjs, the same code on both sides and for both kinds.

/** Sends numbers one by one, each after the answer to the last one; `trips` gets nanoseconds. */
export function roundTrip(writer, back, trips) {
  const snapshot = back.snapshot();
  for (let i = 0; i < trips.length; ++i) {
    const start = process.hrtime.bigint();
    writer.append(i);
    while (snapshot.refresh().appended === 0);
    trips[i] = Number(process.hrtime.bigint() - start);
  }
  snapshot.close();
}

/** Answers so many. */
export function answer(snapshot, writer, trips) {
  for (let i = 0; i < trips; ++i) {
    while (snapshot.refresh().appended === 0);
    writer.append(i);
  }
}
