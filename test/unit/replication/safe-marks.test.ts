/** Which acknowledged entries may be committed, and which a target has lost meanwhile. */
import { SafeMarks } from '../../../lib/replication/safe-marks';

const position = (lsn: number): string => `${lsn}:1:00000001:${'0'.repeat(32)}`;

function marksOf(...acknowledged: readonly [lsn: number, at: number][]): SafeMarks {
  const marks = new SafeMarks(320);
  for (const [lsn, at] of acknowledged) marks.add(lsn, position(lsn), at);
  return marks;
}

test('an entry is safe when it was acknowledged long enough ago, not before', () => {
  const marks = marksOf([10, 0], [20, 100]);
  expect(marks.dueIn(0)).toBe(320);
  expect(marks.take(319)).toBeUndefined();
  expect(marks.take(320)).toMatchObject({ lsn: 10, position: position(10) });
  expect(marks.take(1000)).toMatchObject({ lsn: 20 });
  expect(marks.dueIn(1000)).toBeUndefined();
});

test('acknowledgements that share a mark wait for the last of them', () => {
  const marks = marksOf([10, 0], [11, 10]);
  expect(marks.take(329)).toBeUndefined();
  expect(marks.take(330)).toMatchObject({ lsn: 11 });
});

test('what the target lost is never safe; what it kept is', () => {
  const marks = marksOf([10, 0], [20, 100], [30, 200]);
  marks.dropAfter(15);
  expect(marks.take(1000)).toMatchObject({ lsn: 10 });
  expect(marks.take(1000)).toBeUndefined();
});

test('what was put back is taken again, at once', () => {
  const marks = marksOf([10, 0]);
  const taken = marks.take(320)!;
  marks.putBack(taken);
  expect(marks.take(320)).toMatchObject({ lsn: 10 });
});
