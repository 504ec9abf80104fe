/** Logs that processes share are there on Linux only. */
export const describeProcesses = process.platform === 'linux' ? describe : describe.skip;
