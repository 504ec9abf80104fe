/** A change of the core that some test must notice; each edit is [file, text that is there once, what replaces it]. */
export const mutation = (promise, name, ...edits) => ({
  promise,
  name,
  edits: edits.map(([file, from, to = '']) => ({ file, from, to })),
});
