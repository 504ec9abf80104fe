/** What `log.stats()` tells. */
import { BOUNDS_FIELDS, BoundsField, NATIVE_THREAD } from '../base/codes';
import type { NativeLog } from './native-log';
import type { Layout } from './layout';

/** What `stats()` returns. Segments and bytes are of the whole log unless said otherwise. */
export interface LogStats {
  /** The log's name, if it was given one. */
  name: string | undefined;
  /** Segments that were made so far: retained, pinned and idle ones. */
  segments: number;
  /** Segments in the window. */
  retainedSegments: number;
  /** Segments that are no longer in the window, but pinned by a reader somewhere. */
  pinnedSegments: number;
  /** Segments that wait to be used again. */
  idleSegments: number;
  /** Bytes of one segment, everything included. */
  segmentBytes: number;
  /** Of these, bytes for the values of each field of variable size (`options.dataBytes`); 0 when there is none. */
  dataBytes: number;
  /** Bytes of all segments that hold memory: retained, pinned, and idle ones that were not returned to the system. */
  bytes: number;
  /** Bytes of the segments that are kept only because readers pin them. */
  pinnedBytes: number;
  /** Segments that snapshots of this thread pin, inside the window or not. */
  pinnedHere: number;
  /** Segments that were filled and sealed. */
  rolls: number;
  /** Of these, segments that had room for more entries, but not for the bytes of the next one. */
  earlySeals: number;
  /** Segments begun in recycled memory. */
  recycled: number;
  /** Segments begun in fresh memory. */
  fresh: number;
  /** Who is attached now: every thread, and every attachment of native code; where processes share the log, of this one. */
  readers: ReaderStats[];
  /** Where processes share the log: those that have it open now, but with `readOnly: true`. Else empty. */
  processes: ProcessStats[];
}

/** What a process keeps of a log that processes share. */
export interface ProcessStats {
  /** Its id; undefined when it is in another PID namespace, or the system does not tell. For people: it may be out of date. */
  pid: number | undefined;
  /** Whether it is this process. */
  isSelf: boolean;
  /** Whether it has the writer's claim. */
  isWriter: boolean;
  /** Segments that only it and others like it keep: pinned, and no longer in the window. */
  pinnedSegments: number;
  /** Bytes of those segments. */
  pinnedBytes: number;
}

/**
 * What one thread, or one attachment of native code, keeps of a log: by open
 * snapshots, and by views that outlived a snapshot which was never closed.
 */
export interface ReaderStats {
  /** The `threadId` of `worker_threads` (0 is the main thread); undefined for native code. */
  threadId: number | undefined;
  /** What it called itself: `AtomicLog.attach(handle, { name })`. Undefined when it did not. */
  name: string | undefined;
  /** Segments that it pins, inside the window or not. */
  pinnedSegments: number;
  /** Bytes of those segments. */
  pinnedBytes: number;
  /** Its followers, oldest first. */
  followers: FollowerStats[];
}

/** How far a follower has come. */
export interface FollowerStats {
  /** Absolute index of the entry that it delivers next. */
  nextIndex: number;
  /** Entries that are published and that it has yet to deliver (or to report as lost). */
  lag: number;
}

export function readStats(native: NativeLog, { name, dataBytes }: Layout): LogStats {
  const { segments, retained, idle, decommitted, fresh, recycled, rolls, earlySeals, pinnedHere, readers } =
    native.stats();
  const bounds = new Float64Array(BOUNDS_FIELDS);
  native.bounds(bounds);
  const endIndex = bounds[BoundsField.endIndex]!;
  const segmentBytes = native.blockBytes;
  // The figures are read one after the other while the writer goes on.
  const pinnedSegments = Math.max(0, segments - retained - idle);
  return {
    name,
    segments,
    retainedSegments: retained,
    pinnedSegments,
    idleSegments: idle,
    segmentBytes,
    dataBytes,
    bytes: (segments - decommitted) * segmentBytes,
    pinnedBytes: pinnedSegments * segmentBytes,
    pinnedHere,
    rolls,
    earlySeals,
    recycled,
    fresh,
    readers: readers.map(({ thread, name, pinned, followers }) => ({
      threadId: thread === NATIVE_THREAD ? undefined : thread,
      name: name === '' ? undefined : name,
      pinnedSegments: pinned,
      pinnedBytes: pinned * segmentBytes,
      followers: followers.map((nextIndex) => ({ nextIndex, lag: Math.max(0, endIndex - nextIndex) })),
    })),
    processes: !native.isOfProcesses
      ? []
      : native.livingSlots().map(({ process, isOwn, isWriter, pinnedSegments }) => ({
          pid: process === 0 ? undefined : process,
          isSelf: isOwn,
          isWriter,
          pinnedSegments,
          pinnedBytes: pinnedSegments * segmentBytes,
        })),
  };
}
