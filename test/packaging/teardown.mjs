import { rmSync } from 'node:fs';

export default async function teardown() {
  const { registry, folder } = globalThis.packaging;
  await registry.close();
  rmSync(folder, { recursive: true, force: true });
}
