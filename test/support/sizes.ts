// How much is done by a test that repeats something: the one place that knows.
//
//     npm test             the small sizes: seconds, and every promise is tried
//     npm run test:long    the long sizes, of every test file that imports this one
//
// A new test that takes longer than a second or two calls `sized`. What it repeats
// a few times must still notice a promise that is plainly broken.

/** Whether this run is a long one: `npm run test:long` sets the variable. */
export const isLong = process.env['LONG'] === '1';

/**
 * How often, how many or how long: `small` in `npm test`, `long` in `npm run test:long`.
 * The environment variable `name`, where it is set, has the last word.
 */
export function sized(
  name: string,
  { small, long }: { readonly small: number; readonly long: number },
): number {
  return Number(process.env[name] ?? (isLong ? long : small));
}
