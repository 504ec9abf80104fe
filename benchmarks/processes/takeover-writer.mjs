// The writer of takeover.mjs: appends until it is killed.
import { AtomicLog } from '../../dist/index.mjs';

const writer = AtomicLog.openSync(process.argv[2], { create: false }).tryClaimWriter();
process.on('disconnect', () => process.exit());
process.send('open');
for (;;) {
  for (let i = 0; i < 10_000; ++i) writer.append(i);
  await new Promise((resolve) => setImmediate(resolve));
}
