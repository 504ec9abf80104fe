/** The package's version. Not read from package.json, which bundles do not have. */
export const version = '0.1.0';
