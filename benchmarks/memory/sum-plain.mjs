// A child of sum.mjs: the plain loop. It must not load the addon.
const Array = process.argv[2] === 'i32' ? Int32Array : Float64Array;
const arrays = [];
for (let i = 0; i < 17; ++i) arrays.push(new Array(4096).fill(i));

function sum() {
  let total = 0;
  for (const values of arrays) {
    for (let i = 0; i < values.length; ++i) total += values[i];
  }
  return total;
}

const times = [];
for (let round = 0; round < 60; ++round) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < 20; ++i) sum();
  times.push(Number(process.hrtime.bigint() - start) / (20 * 17 * 4096));
}
times.sort((a, b) => a - b);
console.log(times[30]);
