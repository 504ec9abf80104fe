/** Options of `connect()` of `@nats-io/transport-node`. */
export interface ConnectionOptions {
  maxReconnectAttempts: number;
  waitOnFirstConnect: boolean;
  reconnectDelayHandler: () => number;
  pingInterval: number;
  timeout: number;
}

/**
 * What `connect()` should be given: by default it gives up for good after ten tries, notices a frozen server after
 * four minutes, and one that dies while the connection is made after twenty seconds.
 */
export const connectionOptions: Readonly<ConnectionOptions> = {
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
  reconnectDelayHandler: () => 250,
  pingInterval: 10_000,
  // Where the socket is closed after the server's first words, nothing else ends the attempt.
  timeout: 5000,
};
