// The segments of a window: what comes and goes costs the same however many there are.
import type * as WindowModule from '../../../lib/memory/window';
import { AtomicLog } from 'atomic-log';

import { requireInternal } from '../../support/internals';
import { hasStrictViews } from '../../support/strict';

const { findSegment, NO_VERSION, NO_WORD, PinnedSegment, Window } =
  requireInternal<typeof WindowModule>('memory/window.js');

const segment = (sequence: number): WindowModule.PinnedSegment =>
  new PinnedSegment(sequence % 7, sequence, sequence * 10, 10, true);

function windowOf(count: number): WindowModule.Window {
  const window = new Window();
  window.set(
    Array.from({ length: count }, (_, i) => segment(i)),
    NO_WORD,
  );
  return window;
}

const sequencesOf = (window: WindowModule.Window): number[] => window.copy().map(({ sequence }) => sequence);

test('segments are added at the end and taken out at the start', () => {
  const window = windowOf(3);
  for (let next = 3; next < 200; ++next) {
    window.append([segment(next)], NO_WORD);
    expect(window.shift().sequence).toBe(next - 3);
    expect(sequencesOf(window)).toEqual([next - 2, next - 1, next]);
    expect([window.first.sequence, window.head.sequence]).toEqual([next - 2, next]);
    expect(window.firstIndex).toBe((next - 2) * 10);
    for (let i = window.firstIndex; i < (next + 1) * 10; ++i) {
      expect(findSegment(window, i).sequence).toBe(Math.floor(i / 10));
    }
    // What was taken out is not kept, and room is made.
    expect(window.segments.length).toBeLessThanOrEqual(8);
    expect(window.segments.filter(({ sequence }) => sequence > 0 && sequence < next - 2)).toEqual([]);
  }
  expect(window.clear().map(({ sequence }) => sequence)).toEqual([197, 198, 199]);
  expect(window.isEmpty).toBe(true);
});

test.each([
  ['the same', () => 10],
  ['growing', (i: number) => i + 1],
  ['very different', (i: number) => (i % 7 === 0 ? 1000 : 1)],
  ['one long one first', (i: number) => (i === 0 ? 5000 : 3)],
  ['one long one at the end', (i: number) => (i === 39 ? 5000 : 3)],
])('an entry is found in its segment, lengths being %s', (_, lengthOf) => {
  let firstIndex = 2 ** 40;
  const segments = Array.from({ length: 40 }, (_, i) => {
    const made = new PinnedSegment(i, i, firstIndex, lengthOf(i), true);
    firstIndex += made.count;
    return made;
  });
  const window = new Window();
  window.set(segments, NO_WORD);
  for (let dropped = 0; dropped < 3; ++dropped) {
    const found = new Set<WindowModule.PinnedSegment>();
    for (let i = window.firstIndex; i < firstIndex; ++i) {
      const one = findSegment(window, i);
      if (i < one.firstIndex || i >= one.firstIndex + one.count) throw new Error(`entry ${i}`);
      found.add(one);
    }
    expect(found.size).toBe(40 - dropped);
    window.shift();
  }
});

test('those that it has are moved a few times, not each time that one goes', () => {
  const window = windowOf(1000);
  let { segments } = window;
  let moves = 0;
  for (let next = 1000; next < 5000; ++next) {
    window.append([segment(next)], NO_WORD);
    window.shift();
    if (window.segments === segments) continue;
    ({ segments } = window);
    ++moves;
  }
  expect(moves).toBeLessThanOrEqual(4);
});

test('a window with other segments has another version, which none had before', () => {
  const window = windowOf(3);
  const versions = [NO_VERSION, window.version];
  window.append([segment(3)], NO_WORD);
  versions.push(window.version);
  window.shift();
  versions.push(window.version, windowOf(3).version);
  window.clear();
  versions.push(window.version);
  expect(new Set(versions).size).toBe(versions.length);
});

// With strict views no two snapshots share anything, and each window is made by itself.
(hasStrictViews ? describe.skip : describe)('a snapshot that goes over to a newer window', () => {
  const prototype = Window.prototype as WindowModule.Window;
  /** How often whole windows were made while `run` ran. */
  function windowsMade(run: () => void): number {
    const set = jest.spyOn(prototype, 'set');
    try {
      run();
      return set.mock.calls.length;
    } finally {
      set.mockRestore();
    }
  }

  function filled(): { writer: { append(value: number): void; close(): void }; log: AtomicLog<number> } {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 1 });
    for (let i = 0; i < 103; ++i) writer.append(i);
    return { writer, log: log as AtomicLog<number> };
  }

  test('makes no window when it has the last one for itself', () => {
    const { writer, log } = filled();
    const snapshot = log.snapshot();
    const made = windowsMade(() => {
      for (let i = 103; i < 200; ++i) {
        writer.append(i);
        snapshot.refresh();
        expect(snapshot.length).toBeGreaterThanOrEqual(100);
        expect([snapshot.at(0), snapshot.at(-1)]).toEqual([snapshot.firstIndex, i]);
      }
    });
    expect(made).toBe(0);
    snapshot.close();
    writer.close();
    log.close();
  });

  test('leaves that of another snapshot as it is', () => {
    const { writer, log } = filled();
    const snapshot = log.snapshot();
    const clone = snapshot.clone();
    const held = [...clone];
    const made = windowsMade(() => {
      writer.append(103);
      snapshot.refresh();
    });
    expect(made).toBe(1);
    expect([...clone]).toEqual(held);
    expect(snapshot.at(-1)).toBe(103);
    for (const one of [snapshot, clone]) one.close();
    writer.close();
    log.close();
  });

  test('and one that extends itself keeps what it has, and the next snapshot has the window only', () => {
    const { writer, log } = filled();
    const snapshot = log.snapshot();
    const { firstIndex } = snapshot;
    const made = windowsMade(() => {
      for (let i = 103; i < 300; ++i) {
        writer.append(i);
        snapshot.extend();
      }
    });
    expect(made).toBe(1);
    expect([...snapshot]).toEqual(Array.from({ length: 300 - firstIndex }, (_, i) => firstIndex + i));
    const next = log.snapshot();
    expect(next.length).toBe(101);
    for (const one of [snapshot, next]) one.close();
    writer.close();
    log.close();
  });
});
