// A registry that serves a few packages from their tarballs, so that every package
// manager installs them as its users would, and nothing else from anywhere.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

function read(tarball) {
  const bytes = readFileSync(tarball);
  const text = execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' });
  const hash = (algorithm, encoding) => createHash(algorithm).update(bytes).digest(encoding);
  const dist = { integrity: `sha512-${hash('sha512', 'base64')}`, shasum: hash('sha1', 'hex') };
  return { manifest: JSON.parse(text), bytes, dist };
}

function documentOf({ manifest, dist }, url) {
  const { name, version } = manifest;
  const tarball = `${url}${name}/-/${name}-${version}.tgz`;
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist: { ...dist, tarball } } },
    // Package managers may refuse what was published a moment ago.
    time: { [version]: '2020-01-01T00:00:00.000Z' },
  };
}

export async function serve(tarballs) {
  const packages = new Map(tarballs.map(read).map((one) => [one.manifest.name, one]));
  let url;
  const server = createServer((request, response) => {
    const [name, file] = decodeURIComponent(request.url).slice(1).split('/-/');
    const found = packages.get(name);
    if (found === undefined) response.writeHead(404).end('{}');
    else if (file === undefined) response.end(JSON.stringify(documentOf(found, url)));
    else response.end(found.bytes);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}/`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
}
