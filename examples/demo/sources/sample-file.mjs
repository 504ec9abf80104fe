// @ts-check
import { fileURLToPath } from 'node:url';

/** The path of the sample data set; ../data/README.md says what it is. */
export const sampleFile = fileURLToPath(new URL('../data/flights.csv.gz', import.meta.url));
