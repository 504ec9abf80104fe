import { requireInternal } from '../../support/internals';

const { onAbort } = requireInternal<{
  onAbort(signal: AbortSignal, callback: () => void): () => void;
}>('base/abort.js');

test('every callback is called, once, in the order in which they came', () => {
  const controller = new AbortController();
  const calls: number[] = [];
  for (const i of [1, 2, 3]) onAbort(controller.signal, () => calls.push(i));
  controller.abort();
  controller.abort();
  expect(calls).toEqual([1, 2, 3]);
});

test('one that was taken back is not called, also when it came twice', () => {
  const controller = new AbortController();
  let calls = 0;
  const callback = (): number => ++calls;
  const stop = onAbort(controller.signal, callback);
  onAbort(controller.signal, callback);
  stop();
  stop();
  controller.abort();
  expect(calls).toBe(1);
});

test('callbacks may take back themselves and others, and add more', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const calls: string[] = [];
  const stops = ['a', 'b'].map((name) =>
    onAbort(signal, () => {
      calls.push(name);
      for (const stop of stops) stop();
      onAbort(signal, () => calls.push('too late'));
    }),
  );
  controller.abort();
  expect(calls).toEqual(['a', 'b']);
});

test('signals do not mix', () => {
  const controllers = [new AbortController(), new AbortController()];
  const calls: number[] = [];
  controllers.forEach(({ signal }, i) => onAbort(signal, () => calls.push(i)));
  controllers[1]!.abort();
  expect(calls).toEqual([1]);
});
