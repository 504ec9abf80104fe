// The licences of code that is shipped as part of other files (the bundled command
// line, the binaries), which ask that their text goes with every copy. They are
// read from where that code is read from, so that none can be forgotten or old. Plugins for
// bundlers collect those of packages only; zig's libraries and zstd are no packages.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const isLicense = (name) => /^(licen[sc]e|copying)/i.test(name);

/** The licence files at the top of a folder, as text. */
function textOf(folder) {
  const names = readdirSync(folder).filter(isLicense);
  // zstd may be had under either of two: the first, its LICENSE, asks for less.
  const [name] = names.sort((a, b) => Number(/^copying/i.test(a)) - Number(/^copying/i.test(b)));
  if (name === undefined) throw new Error(`${folder} has no licence: its code cannot be shipped`);
  return readFileSync(join(folder, name), 'utf8').trim();
}

/** The name and version of a package, where the folder is one. */
function titleOf(folder) {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version}`;
  } catch {
    return basename(folder);
  }
}

/**
 * Writes the licences of the code in `folders` into one file, `what` being what
 * contains that code. What several have word for word is there once.
 */
export function writeLicenses(path, what, folders) {
  const titlesOfTexts = new Map();
  for (const [folder, title = titleOf(folder)] of folders.map((entry) => [entry].flat())) {
    const text = textOf(folder);
    titlesOfTexts.set(text, [...(titlesOfTexts.get(text) ?? []), title]);
  }
  const rule = '-'.repeat(80);
  const parts = [...titlesOfTexts].map(([text, titles]) => [rule, titles.join(', '), rule, text].join('\n'));
  writeFileSync(path, [`${what} contains code of others, under these licences.`, ...parts, ''].join('\n\n'));
}
