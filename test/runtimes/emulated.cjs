// Loaded before jest on an emulated machine. Jest's module resolver is an addon of
// its own, which not every emulator can load: Node's resolution stands in for it. And
// what tests start themselves must go through the emulator too.
'use strict';

const Module = require('node:module');
const { join } = require('node:path');

class ResolverFactory {
  #extensions;

  constructor({ extensions = [] }) {
    this.#extensions = ['', ...extensions];
  }

  cloneWithOptions(options) {
    return new ResolverFactory(options);
  }

  clearCache() {}

  sync(directory, request) {
    const { resolve } = Module.createRequire(join(directory, 'any.js'));
    let problem;
    for (const extension of this.#extensions) {
      try {
        return { path: resolve(request + extension) };
      } catch (error) {
        problem ??= error;
      }
    }
    return { error: problem.message };
  }

  async async(directory, request) {
    return this.sync(directory, request);
  }
}

const path = require.resolve('unrs-resolver');
require.cache[path] = { id: path, filename: path, loaded: true, children: [], exports: { ResolverFactory } };

process.execPath = process.env.ATOMIC_LOG_PROGRAM || process.execPath;
