export const otherAddons: readonly string[];
export function buildOtherAddon(directory: string): string | undefined;
