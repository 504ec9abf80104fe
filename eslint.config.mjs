import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What fake timers replace, and what some environments lack; lib/base/timers.ts has the runtime's own. */
const replaceable = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
  'performance',
  'structuredClone',
];
const instead = 'Tests replace it, or it is missing there: use lib/base/timers.ts.';

export default defineConfig(
  {
    ignores: [
      'dist/',
      'prebuilds/',
      '.tools/',
      'coverage/',
      'types/{index,jetstream,redis}.d.ts',
      '**/build/',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['lib/**/*.ts', 'test/**/*.ts', 'types/*.d.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './test/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Typed arrays are read by position, several at a time.
      '@typescript-eslint/prefer-for-of': 'off',
      '@typescript-eslint/prefer-optional-chain': 'off',
      // The addon's functions carry their object themselves; so do intrinsic getters.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/class-literal-property-style': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...replaceable.map((name) => ({ name, message: instead })),
        ...['TextEncoder', 'TextDecoder'].map((name) => ({ name, message: 'Import it from node:util.' })),
      ],
      'no-restricted-properties': [
        'error',
        ...replaceable.map((property) => ({ object: 'globalThis', property, message: instead })),
        ...['nextTick', 'hrtime'].map((property) => ({ object: 'process', property, message: instead })),
      ],
      'no-restricted-imports': [
        'error',
        ...['node:timers', 'node:timers/promises', 'node:perf_hooks'].map((name) => ({
          name,
          message: instead,
        })),
      ],
    },
  },
  {
    files: ['lib/base/timers.ts'],
    rules: { 'no-restricted-imports': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'require',
          'module',
          '__dirname',
          '__filename',
          'Buffer',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'clearTimeout',
          'clearInterval',
          'AbortController',
          'AbortSignal',
          'SharedArrayBuffer',
          'Atomics',
          'URL',
          'performance',
          'globalThis',
          'structuredClone',
          'Blob',
          'CompressionStream',
          'Request',
          'Response',
          'TextDecoder',
          'fetch',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    // What Electron runs in the page.
    files: ['examples/electron/src/{preload.cjs,window.js}'],
    languageOptions: {
      globals: { window: 'readonly', document: 'readonly', requestAnimationFrame: 'readonly' },
    },
  },
  {
    // The demo's page, and what a test asks of it there.
    files: ['examples/demo/web/*.js', 'test/support/dashboard.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'document',
          'location',
          'matchMedia',
          'getComputedStyle',
          'requestAnimationFrame',
          'CSS',
          'Option',
          'ResizeObserver',
          'WebSocket',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['test/**/*.{ts,cjs}'],
    // What a test drops, so that it can be collected, is not read again.
    rules: { 'no-useless-assignment': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests hand the wrong types to everything.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      // Its advice and the compiler's demands contradict each other for these casts.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/dot-notation': 'off',
    },
  },
);
