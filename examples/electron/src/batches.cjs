// Takes a log to another process. A log is memory of one process: utility processes
// and renderers are others, and get copies of what is new, through a MessagePort.

/** Posts each batch until the signal aborts or the log ends. */
async function forward(log, post, signal) {
  try {
    for await (const batch of log.follow({ from: 'oldest', signal })) {
      for (const chunk of batch.chunks()) {
        // A posted view of the log's memory would be changed later: slice() copies.
        const columns = {};
        for (const name of ['time', 'load', 'heap']) columns[name] = chunk.column(name).slice();
        post({ firstIndex: chunk.firstIndex, columns });
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Appends forwarded batches to a log of this process, whose workers read it without copying. */
function receiveInto(writer) {
  return ({ columns }) => writer.appendBatch(columns);
}

module.exports = { forward, receiveInto };
