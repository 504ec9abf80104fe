// Builds the addon over a simulated disk, and prints where it is.
import { buildAddon } from '../support/build-addon.mjs';

const output = await buildAddon('simulated', {
  flags: ['-O0'],
  onlyThoseWith: [],
  replace: {
    'src-native/binding/addon.cc': 'test/simulated/addon.cc',
    'src-native/core/platform/file_posix.cc': 'test/simulated/file_system.cc',
  },
  sources: ['test/native/support/simulated_file_system.cc'],
  headers: ['test/simulated/file_system.h', 'test/native/support/simulated_file_system.h'],
});
console.log(output);
