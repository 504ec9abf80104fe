/** @type {import('jest').Config} */
module.exports = {
  ...require('../../jest.config.js'),
  rootDir: '../..',
  testMatch: ['<rootDir>/test/packaging/**/*.test.ts'],
  // Packs the package and serves it, as the registry would.
  globalSetup: '<rootDir>/test/packaging/setup.mjs',
  globalTeardown: '<rootDir>/test/packaging/teardown.mjs',
  testTimeout: 300_000,
};
