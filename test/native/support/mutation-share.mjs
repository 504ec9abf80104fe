// With MUTATION_SHARE=2/3 in the environment, the second of every three mutations.
const [share, shares] = (process.env.MUTATION_SHARE ?? '1/1').split('/').map(Number);

export const inShare = (_mutation, i) => i % shares === share - 1;
