import { defineSchema } from 'atomic-log';

export const SYMBOLS = ['ADA', 'BEN', 'CYD', 'DOT'];

/** What a tick is; all threads agree on it. */
export const schema = defineSchema({ time: 'f64', symbol: 'u8', price: 'f64', size: 'u32' });
