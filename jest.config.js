/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Not one pattern with braces: jest on Windows takes them for escaped.
  testMatch: ['unit', 'threads', 'crash', 'types'].map((part) => `<rootDir>/test/${part}/**/*.test.ts`),
  transform: { '\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/test/tsconfig.json' }] },
  // What users load: the built package, through its own exports.
  moduleNameMapper: {
    '^atomic-log$': '<rootDir>/dist/index.js',
    '^atomic-log/(jetstream|redis)$': '<rootDir>/dist/$1.js',
  },
  // Only a hang may fail a test by time: the suite also runs on loaded machines and under sanitizers.
  // Long halves sync many thousand times, on a disk that may be busy.
  testTimeout: process.env.LONG === '1' ? 600_000 : 120_000,
  // By default one less than there are cores: on two of them, one.
  maxWorkers: '100%',
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/prebuilds/', '<rootDir>/.tools/'],
};
