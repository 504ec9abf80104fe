#!/usr/bin/env node
/** The command `atomic-log`: its first argument names one of the files beside this one. */
import { build } from './build';

interface Command {
  readonly summary: string;
  /** Returns the exit status. */
  run(args: readonly string[]): number | Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  build: { summary: 'build the addon from source, where the package brings no binary', run: build },
};

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return ['usage: atomic-log <command>', '', ...lines, ''].join('\n');
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') {
    process.stdout.write(usage());
    return 0;
  }
  if (name === undefined || !Object.hasOwn(commands, name)) {
    process.stderr.write(usage());
    return 2;
  }
  return commands[name]!.run(args);
}

void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
