// What must not be published: a package that says it belongs to a placeholder, or a
// version that the changelog does not have or calls unreleased.

/** The organisation whose name stands in package.json until the package has a home. */
const PLACEHOLDER = /example-organization|example organization/i;

/** Where package.json says whose it is; nothing else in the repository does. */
const FIELDS = ['author', 'bugs', 'homepage', 'repository'];

/**
 * Why this package must not be published, a line each.
 *
 * @param {Record<string, any>} manifest package.json
 * @param {string} changelog
 * @returns {string[]}
 */
export function refusals(manifest, changelog) {
  const fields = FIELDS.flatMap((field) => {
    const text = JSON.stringify(manifest[field] ?? '');
    if (text === '""') return [`package.json has no ${field}`];
    return PLACEHOLDER.test(text) ? [`${field} in package.json is a placeholder: ${text}`] : [];
  });
  const { version } = manifest;
  const heading = changelog
    .split('\n')
    .find((line) => line.split(' ')[1] === version && line.startsWith('## '));
  if (heading === undefined) return [...fields, `CHANGELOG.md has no section "## ${version}"`];
  if (heading.trim() !== `## ${version}`)
    return [...fields, `CHANGELOG.md says "${heading.trim()}": write "## ${version}" to publish it`];
  return fields;
}
