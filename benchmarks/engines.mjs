// Servers for the questions about forward(): started on a port of the loopback, in a directory of their own.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Why there are no rows with this server; undefined when there can be. */
export function whyNot(program, packages, require) {
  const missing = packages.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (spawnSync(program, ['--version']).error !== undefined) missing.push(program);
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}: npm ci; apt-get install ${program}`;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function isListening(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const parametersOf = {
  'nats-server': (directory, port) => {
    const path = join(directory, 'nats.conf');
    const store = JSON.stringify(join(directory, 'stream'));
    writeFileSync(path, `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${store} }\n`);
    return ['-c', path];
  },
  'redis-server': (directory, port) => {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
    return [...place, '--save', '', '--appendonly', 'yes'];
  },
};

/** Resolves with its port, and what ends it. */
export async function startServer(program, directory) {
  const port = await freePort();
  const child = spawn(program, parametersOf[program](directory, port), { stdio: 'ignore' });
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${program} has ended: status ${child.exitCode}`);
    await pause(10);
  }
  return {
    port,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
