/**
 * Variables of the environment. Deno refuses to read them without `--allow-env`,
 * and the library works without any of them: one that may not be read is not set.
 */

export function environmentVariable(name: string): string | undefined {
  try {
    const value = process.env[name];
    return value === '' ? undefined : value;
  } catch {
    return undefined;
  }
}
