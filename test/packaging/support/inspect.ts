// What a binary is, asks for and shows, as LLVM's tools read it (Debian: llvm).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

function llvm(tool: string, ...args: string[]): string {
  try {
    return execFileSync(`llvm-${tool}`, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw missing
      ? new Error('the checks of binaries need LLVM: apt-get install llvm', { cause: error })
      : error;
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found]) => found!);

export interface Binary {
  readonly format: string;
  readonly machine: string;
  /** Libraries that the system must load with it. */
  readonly libraries: readonly string[];
  /** Functions it asks for, and functions it offers. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

export interface ElfBinary extends Binary {
  readonly glibcVersions: readonly string[];
  readonly stackFlags: string;
  readonly sections: readonly string[];
}

export interface MachBinary extends Binary {
  readonly systemVersion: string;
  readonly isSigned: boolean;
  readonly localSymbols: readonly string[];
}

export interface PeBinary extends Binary {
  readonly characteristics: readonly string[];
  readonly sections: readonly string[];
}

function header(path: string): Pick<Binary, 'format' | 'machine'> {
  const text = llvm('readobj', '--file-headers', path);
  return { format: /^Format: (.*)$/m.exec(text)![1]!, machine: /^Arch: (.*)$/m.exec(text)![1]! };
}

export function inspectElf(path: string): ElfBinary {
  const symbols = lines(llvm('readelf', '--dyn-syms', '--wide', path))
    .map((line) => line.trim().split(/\s+/))
    .filter(([number, , , , bind]) => /^\d+:$/.test(number!) && bind !== 'LOCAL')
    // The linker's own weak references may stay unresolved.
    .filter(([, , , , bind, , section]) => bind !== 'WEAK' || section !== 'UND')
    .map((cells) => ({ undefined: cells[6] === 'UND', name: cells[7]! }));
  return {
    ...header(path),
    libraries: matches(llvm('readelf', '--dynamic', path), /\(NEEDED\).*\[(.*)\]/g),
    imports: symbols.filter((symbol) => symbol.undefined).map(({ name }) => name),
    exports: symbols.filter((symbol) => !symbol.undefined).map(({ name }) => name),
    glibcVersions: matches(llvm('readelf', '--version-info', path), /Name: GLIBC_([\d.]+)/g),
    stackFlags: /GNU_STACK\s+(?:0x\w+\s+){5}(\S+)/.exec(llvm('readelf', '--program-headers', path))![1]!,
    sections: matches(llvm('readelf', '--sections', '--wide', path), /\]\s+(\.\S+)/g),
  };
}

/** Whether the hashes of all pages in the signature (xnu: cs_blobs.h) are those of the file. */
function isSignatureValid(file: Buffer, commands: string): boolean {
  const start = Number(/LC_CODE_SIGNATURE\s+cmdsize \d+\s+dataoff (\d+)/.exec(commands)![1]);
  const directory = start + file.readUInt32BE(start + 16); // the first blob, CSSLOT_CODEDIRECTORY
  const field = (offset: number): number => file.readUInt32BE(directory + offset);
  const [hashes, pages, end] = [field(16), field(28), field(32)] as const;
  const hashBytes = file[directory + 36]!;
  const pageBytes = 2 ** file[directory + 39]!;
  for (let page = 0; page < pages; ++page) {
    const bytes = file.subarray(page * pageBytes, Math.min((page + 1) * pageBytes, end));
    const expected = file.subarray(directory + hashes + page * hashBytes).subarray(0, hashBytes);
    if (!createHash('sha256').update(bytes).digest().equals(expected)) return false;
  }
  return pages > 0 && end === start;
}

export function inspectMach(path: string): MachBinary {
  const names = (...args: string[]): string[] => lines(llvm('nm', '--format=just-symbols', ...args, path));
  const visible = new Set(names('--extern-only'));
  // It lists the file's own name too.
  const [, ownName] = lines(llvm('objdump', '--macho', '--dylib-id', path));
  const used = matches(llvm('objdump', '--macho', '--dylibs-used', path), /^\t(\S+) \(/gm);
  const commands = llvm('objdump', '--macho', '--private-headers', path);
  return {
    ...header(path),
    libraries: used.filter((name) => name !== ownName),
    imports: names('--undefined-only').map((name) => name.slice(1)),
    exports: names('--extern-only', '--defined-only').map((name) => name.slice(1)),
    systemVersion: /LC_BUILD_VERSION[^]*?minos (\S+)/.exec(commands)![1]!,
    isSigned: commands.includes('LC_CODE_SIGNATURE') && isSignatureValid(readFileSync(path), commands),
    localSymbols: names('--defined-only').filter((name) => !visible.has(name)),
  };
}

export function inspectPe(path: string): PeBinary {
  const imports = llvm('readobj', '--coff-imports', path);
  return {
    ...header(path),
    libraries: matches(imports, /^ {2}Name: (.*)$/gm),
    imports: matches(imports, /^ {2}Symbol: (\S+)/gm),
    exports: matches(llvm('readobj', '--coff-exports', path), /^ {2}Name: (\S+)$/gm),
    characteristics: matches(llvm('readobj', '--file-headers', path), /^\s+(IMAGE_\w+) \(/gm),
    sections: matches(llvm('readobj', '--sections', path), /^\s+Name: (\.\S+) \(/gm),
  };
}
