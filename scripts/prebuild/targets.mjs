// The machines that the package brings a binary for.

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {string} file In prebuilds/, as node-gyp-build looks for it.
 * @property {'linux' | 'mac' | 'win'} system As gyp calls it.
 * @property {'x64' | 'arm64'} architecture
 * @property {string} triple As zig calls it.
 */

const machines = { x64: 'x86_64', arm64: 'aarch64' };
/** RHEL 7's: older than that of any system that Node 20 starts on. */
const GLIBC = '2.17';
/** As MACOSX_DEPLOYMENT_TARGET in binding.gyp, which a build checks. */
export const MACOS = '11.0';

/** @type {(architecture: 'x64' | 'arm64') => Target[]} */
const of = (architecture) => {
  const machine = machines[architecture];
  const target = (platform, tag, system, triple) => ({
    name: `${platform}-${architecture}${tag}`,
    file: `${platform}-${architecture}/atomic-log${tag.replace('-', '.')}.node`,
    system,
    architecture,
    triple: `${machine}-${triple}`,
  });
  return [
    target('linux', '-glibc', 'linux', `linux-gnu.${GLIBC}`),
    target('linux', '-musl', 'linux', 'linux-musl'),
    target('darwin', '', 'mac', `macos.${MACOS}`),
    target('win32', '', 'win', 'windows-gnu'),
  ];
};

/** @type {readonly Target[]} */
export const targets = [...of('x64'), ...of('arm64')];

/** In prebuilds/, the licences of the code of others in the binaries. */
export const LICENSES = 'LICENSES.txt';
