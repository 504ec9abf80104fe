// Links of the documents in the tarball. One that leads to a file that is not packed
// (examples, findings, tests) would lead nowhere there, so it becomes an address in
// the repository that package.json names, at the tag of the version.
import { posix } from 'node:path';

/** A link or an image of Markdown, up to the end of its target. */
const LINK = /(\]\()(?![a-z][a-z+.-]*:|#|\/)([^)\s#]+)(#[^)\s]*)?(?=[)\s])/gi;

/**
 * @param {{ repository: { url: string }, version: string }} manifest package.json
 * @returns {string} Where a file of this version is shown.
 */
export function addressOf({ repository, version }) {
  return `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/blob/v${version}/`;
}

/**
 * The document with absolute links where the target is not packed.
 *
 * @param {string} markdown
 * @param {string} path Of the document, below the root of the package.
 * @param {ReadonlySet<string>} packed The paths of the tarball.
 * @param {string} address As `addressOf` has it.
 * @returns {string}
 */
export function absoluteLinks(markdown, path, packed, address) {
  return markdown.replace(LINK, (link, opening, target, anchor = '') => {
    const file = posix.join(posix.dirname(path), target);
    return packed.has(file) ? link : `${opening}${address}${file}${anchor}`;
  });
}
