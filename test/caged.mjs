// Runs the jest suite against an addon whose runtime allows no external memory,
// as V8's sandbox does not: `npm run test:caged -- [jest arguments]`. Nothing
// but that answer tells the library to take shared memory.
import { buildAddon, runJest } from './support/build-addon.mjs';

runJest(
  await buildAddon('caged', {
    onlyThoseWith: [],
    linkFlags: ['-Wl,-Bsymbolic'],
    sources: ['test/native/support/caged_runtime.cc'],
  }),
);
