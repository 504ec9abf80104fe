/** Options of `connect()` of `@nats-io/transport-node`. */
export interface ConnectionOptions {
  maxReconnectAttempts: number;
  waitOnFirstConnect: boolean;
  reconnectDelayHandler: () => number;
  pingInterval: number;
}

/**
 * What `connect()` should be given: by default it gives up for good after ten tries, and notices a
 * frozen server after four minutes.
 */
export const connectionOptions: Readonly<ConnectionOptions> = {
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
  reconnectDelayHandler: () => 250,
  pingInterval: 10_000,
};
