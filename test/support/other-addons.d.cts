export const otherAddons: readonly string[];
/** When the file, or the latest in the folder, was written. */
export function newest(path: string): number;
export function buildOtherAddon(directory: string): string | undefined;
