// Builds the addon whose memory can be refused, and prints where it is.
import { buildAddon } from '../support/build-addon.mjs';

const output = await buildAddon('faults', {
  flags: ['-O0', '-DATOMIC_LOG_FAULTS'],
  onlyThoseWith: ['src-native/core/base/faults.h'],
  replace: { 'src-native/binding/addon.cc': 'test/faults/addon.cc' },
  sources: ['test/native/support/faults.cc'],
  headers: ['test/native/support/faults.h'],
});
console.log(output);
