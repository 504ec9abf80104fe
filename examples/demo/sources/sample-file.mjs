// @ts-check
import { fileURLToPath } from 'node:url';
import { UsageError } from '../usage-error.mjs';

/**
 * The path of the sample data set. The package exports its code only, so the file is found relative to it.
 *
 * @returns {string}
 */
export function sampleFile() {
  try {
    return fileURLToPath(new URL('../data/flights-200k.json', import.meta.resolve('vega-datasets')));
  } catch {
    throw new UsageError(
      '--sample needs the package vega-datasets; install the development dependencies first',
    );
  }
}
