/* Logs for native code: the C interface of atomic-log, for C11 and C++17.
 *
 * Another addon, on any thread, attaches to a log that JavaScript made, claims
 * its writer, and appends; or reads. C++ has a wrapper on top of it in
 * atomic_log.h, and node_api.h turns `log.nativeHandle` into a handle.
 *
 * Nothing has to be linked: everything is reached through the table of
 * functions that comes with the handle, and stays valid until the process ends.
 *
 *  1. No function throws, and none takes a null pointer unless it says so.
 *  2. Logs may be used by any number of threads at once. A writer or a snapshot
 *     belongs to one thread at a time; the caller synchronises handing it to
 *     another one.
 *  3. Each log, writer and snapshot keeps the memory of its log, whatever
 *     JavaScript does: closing the log there, or the end of its thread. The log
 *     can be attached to for as long as any of them is there.
 *  4. Versions: within ATOMIC_LOG_ABI_VERSION structs with a struct_size and
 *     the table only grow at their end; atomic_log_column and
 *     atomic_log_chunk, which come in arrays, do not change.
 */
#ifndef ATOMIC_LOG_ABI_H_
#define ATOMIC_LOG_ABI_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATOMIC_LOG_ABI_VERSION 1u

/* What an operation returns. */
typedef int32_t atomic_log_status;
enum {
  ATOMIC_LOG_OK = 0,
  ATOMIC_LOG_OUT_OF_MEMORY = 1, /* the system refused memory */
  ATOMIC_LOG_OUT_OF_RANGE = 2,  /* a count or an index; or the log is full */
  ATOMIC_LOG_GONE = 3,          /* all have closed the log */
  ATOMIC_LOG_FOREIGN = 4,       /* the handle names no log */
  ATOMIC_LOG_PINNED = 5,        /* readers pin more than pinnedBytesMax */
  ATOMIC_LOG_CLAIMED = 6,       /* another one is the writer */
  ATOMIC_LOG_ENDED = 7,         /* the writer ended the log */
  ATOMIC_LOG_TIMED_OUT = 8,     /* not yet */
  ATOMIC_LOG_VERSION = 9,   /* built for another version of this interface */
  ATOMIC_LOG_INVALID = 10,  /* no handle of a log at all */
  ATOMIC_LOG_CLOSED = 11,   /* the C++ object is empty or was closed */
  ATOMIC_LOG_COLUMNS = 12,  /* the log has other columns */
  ATOMIC_LOG_CANCELLED = 13 /* the wait was cancelled; only the C++ wrapper */
};

/* What a column holds. */
enum {
  ATOMIC_LOG_F64 = 0,
  ATOMIC_LOG_F32 = 1,
  ATOMIC_LOG_I8 = 2,
  ATOMIC_LOG_U8 = 3,
  ATOMIC_LOG_I16 = 4,
  ATOMIC_LOG_U16 = 5,
  ATOMIC_LOG_I32 = 6,
  ATOMIC_LOG_U32 = 7,
  ATOMIC_LOG_I64 = 8,
  ATOMIC_LOG_U64 = 9
  /* 10 and 11 are columns of variable size, of which logs for native code have
   * none. A new type gets a number from 12 on: compare types for equality only. */
};

/* The published word, four bytes at the start of each block. */
#define ATOMIC_LOG_SEALED UINT32_C(0x80000000)
#define ATOMIC_LOG_COUNT_MASK UINT32_C(0x7fffffff)

typedef struct atomic_log_api atomic_log_api;
/* An attachment to a log, counted. */
typedef struct atomic_log_log atomic_log_log;

/* What `log.nativeHandle` carries. It keeps no log alive. */
typedef struct atomic_log_handle {
  uint32_t abi_version; /* compare it with ATOMIC_LOG_ABI_VERSION first */
  uint32_t struct_size;
  const atomic_log_api* api;
  uint64_t id;
  char token[32];
} atomic_log_handle;

typedef struct atomic_log_column {
  const char* name; /* UTF-8, ended by a zero; "" in a log of numbers */
  uint64_t name_bytes;
  uint64_t offset; /* bytes from the start of a block */
  uint32_t type;
  uint32_t element_bytes;
} atomic_log_column;

/* Immutable; valid as long as the attachment. */
typedef struct atomic_log_info {
  uint32_t struct_size;
  uint32_t column_count;
  const atomic_log_column* columns;
  uint64_t retained_capacity; /* entries */
  uint32_t segment_capacity;  /* entries */
  uint32_t retained_segments;
  uint64_t block_bytes;
} atomic_log_info;

/* The right to append, and where. Entry `first_index + i` stands in each column
 * at position i: store it there first, publish it then. An entry that has been
 * published must not be stored to again.
 *
 * To publish n entries of the head without a call (n not below `published`):
 *   published = n
 *   store n to the block's first four bytes, atomically, with release
 *   forbid the compiler to reorder what follows with that store
 *   load *wake_index atomically, relaxed; if first_index + n is greater, wake()
 * Only where publishes_inline is not 0; elsewhere the processor needs a fence
 * too, and publish() has it. */
typedef struct atomic_log_writer {
  uint32_t struct_size;
  uint32_t capacity; /* entries that the head has room for */
  unsigned char* block;
  uint64_t first_index;
  uint32_t published; /* entries of the head that may be read */
  uint32_t publishes_inline;
  const uint64_t* wake_index;
} atomic_log_writer;

/* The readable entries of one segment. */
typedef struct atomic_log_chunk {
  const unsigned char* block; /* column c begins at block + columns[c].offset */
  uint64_t sequence;
  uint64_t first_index;
  uint32_t length;
  uint32_t reserved;
} atomic_log_chunk;

/* A stable view of the window, pinned: entries [first_index, end_index). At
 * least one chunk; ascending, without a gap; the last one may be empty. */
typedef struct atomic_log_snapshot {
  uint32_t struct_size;
  uint32_t chunk_count;
  atomic_log_chunk* chunks;
  uint64_t first_index;
  uint64_t end_index;
} atomic_log_snapshot;

struct atomic_log_api {
  uint32_t abi_version;
  uint32_t struct_size;

  /* --- Logs, any thread. */
  /* OK, GONE, FOREIGN, VERSION or OUT_OF_MEMORY. Release what it gives. */
  atomic_log_status (*attach)(const atomic_log_handle* handle,
                              atomic_log_log** log);
  void (*retain)(atomic_log_log* log);
  void (*release)(atomic_log_log* log);
  const atomic_log_info* (*info)(const atomic_log_log* log);
  void (*bounds)(atomic_log_log* log, uint64_t* first_index,
                 uint64_t* end_index);
  int32_t (*has_ended)(const atomic_log_log* log);
  int32_t (*is_claimed)(const atomic_log_log* log);
  /* Blocks until entry `index` may be read (OK), the log has ended (ENDED) or
   * the time is over (TIMED_OUT; UINT64_MAX for no limit). Nothing else ends it:
   * a thread that must be able to stop waits in slices, as the C++ wrapper does
   * when it is given a flag. */
  atomic_log_status (*wait)(atomic_log_log* log, uint64_t index,
                            uint64_t timeout_ns);

  /* --- Writing. */
  /* OK, CLAIMED, ENDED or OUT_OF_MEMORY. Release the claim with unclaim. The
   * head may hold entries already: begin at writer->published. */
  atomic_log_status (*claim)(atomic_log_log* log, atomic_log_writer** writer);
  /* The head's entries below `count` may be read. Published ones stay so. */
  void (*publish)(atomic_log_writer* writer, uint32_t count);
  /* After a publication without a call: wakes those who wait for it. */
  void (*wake)(atomic_log_writer* writer);
  /* Publishes the head's first `count` entries (not 0), seals it, and begins
   * the next segment; *writer describes that one then. Nothing changes when it
   * fails: OUT_OF_MEMORY, PINNED (both may pass), OUT_OF_RANGE. */
  atomic_log_status (*roll)(atomic_log_writer* writer, uint32_t count);
  /* No more entries will come. Publish before, unclaim after. */
  void (*end)(atomic_log_writer* writer);
  /* Drops what was not published. */
  void (*unclaim)(atomic_log_writer* writer);

  /* --- Reading. */
  /* OK or OUT_OF_MEMORY. */
  atomic_log_status (*snapshot)(atomic_log_log* log,
                                atomic_log_snapshot** snapshot);
  /* The window as it is now. Chunks of before are void. OK; or OUT_OF_MEMORY,
   * with nothing changed. */
  atomic_log_status (*refresh)(atomic_log_snapshot* snapshot);
  void (*close)(atomic_log_snapshot* snapshot);
};

#ifdef __cplusplus
}
#endif

#endif /* ATOMIC_LOG_ABI_H_ */
