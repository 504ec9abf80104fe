import { defineSchema } from 'atomic-log';

/** Known routes; whatever else is asked for counts as the first. */
export const ROUTES = ['other', 'work', 'health'];

/** What is recorded of a request. */
export const schema = defineSchema({ time: 'f64', route: 'u8', status: 'u16', durationMs: 'f32' });
