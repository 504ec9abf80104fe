import { FlushedOffset, SegmentWriter } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';

const { path } = temporaryDirectory();
const here = { allowMainThread: true };

describe('waitSync', () => {
  test('is ready when more is durable, and over when the time is', () => {
    using writer = SegmentWriter.createSync(path('a.seg'), { size: 4096 });
    const flushed = FlushedOffset.attach(writer.flushedOffset.handle);
    expect(flushed.waitSync(0, 0, here)).toBe('timeout');
    expect(flushed.waitSync(0, 20, here)).toBe('timeout');
    writer.append(Buffer.from('x'));
    writer.syncSync();
    expect(flushed.waitSync(0, Infinity, here)).toBe('ready');
    expect(flushed.waitSync(9, 0, here)).toBe('timeout');
  });

  test('does not block the main thread unasked, ready or not', () => {
    using writer = SegmentWriter.createSync(path('a.seg'), { size: 4096 });
    const flushed = writer.flushedOffset;
    for (const options of [undefined, {}, { allowMainThread: false }]) {
      expectError(
        () => flushed.waitSync(0, 0, options),
        'ERR_MAIN_THREAD',
        /pass \{ allowMainThread: true \}/,
      );
    }
    writer.append(Buffer.from('x'));
    writer.syncSync();
    expectError(() => flushed.waitSync(0), 'ERR_MAIN_THREAD', /would block the main thread/);
  });

  test('refuses what is no offset, no time or no option', () => {
    const flushed = new FlushedOffset();
    expectError(() => flushed.waitSync(-1, 0, here), 'ERR_OUT_OF_RANGE', /beyond must be/);
    expectError(() => flushed.waitSync('1' as never, 0, here), 'ERR_INVALID_ARG_TYPE', /beyond must be/);
    expectError(() => flushed.waitSync(0, NaN, here), 'ERR_OUT_OF_RANGE', /timeoutMs must be/);
    expectError(() => flushed.waitSync(0, 0, null as never), 'ERR_INVALID_ARG_TYPE', /options must be/);
    const misspelt = { allowMainTread: true } as never;
    expectError(
      () => flushed.waitSync(0, 0, misspelt),
      'ERR_INVALID_ARG_VALUE',
      /nearest one is allowMainThread/,
    );
    const text = { allowMainThread: 'yes' } as never;
    expectError(() => flushed.waitSync(0, 0, text), 'ERR_INVALID_ARG_TYPE', /allowMainThread must be/);
  });
});
