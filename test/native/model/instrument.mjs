// Makes a copy of the core in which Relacy sees every atomic, mutex and shared
// plain field:
//
//   node instrument.mjs <target folder> threads|processes
//
// The text of the core stays as it is but for the substitutions below, and for
// the mutations, each behind a switch. Each text to be replaced must be there
// exactly once, so that none can rot.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { mutations } from './mutations.mjs';
import { sharedMutations } from './shared_mutations.mjs';
import { withSwitches } from './switches.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, '../../../src-native');

const COMMON = [
  'core/base/check.h',
  'core/base/faults.h',
  'core/base/list.h',
  'core/base/status.h',
  'core/memory/block_layout.h',
  'core/memory/claim.h',
  'core/memory/free_list.h',
  'core/memory/published_word.h',
  'core/memory/rolling_log.h',
  'core/memory/segment.h',
  'core/memory/segment_pool.h',
  'core/memory/storage.h',
  'core/memory/wait_list.cc',
  'core/memory/wait_list.h',
  'core/memory/window.h',
  'core/platform/barrier.h',
  'core/platform/barrier_posix.cc',
  'core/platform/memory.h',
];

const FILES = [
  ...COMMON,
  'core/memory/rolling_log.cc',
  'core/memory/segment_pool.cc',
  'core/memory/storage.cc',
  'core/memory/window.cc',
  'core/platform/memory_posix.cc',
];

const SHARED_FILES = [
  ...COMMON,
  'core/base/crc32.h',
  'core/base/little_endian.h',
  'core/platform/file.h',
  'core/platform/futex.h',
  'core/platform/io_status.h',
  'core/platform/process_watch.h',
  'core/platform/random.h',
  'core/platform/shared_file.h',
  'core/platform/thread.h',
  'core/shared_memory/segment_copies.cc',
  'core/shared_memory/segment_copies.h',
  'core/shared_memory/shared_format.cc',
  'core/shared_memory/shared_format.h',
  'core/shared_memory/shared_log.cc',
  'core/shared_memory/shared_log.h',
  'core/shared_memory/shared_log_open.cc',
  'core/shared_memory/shared_log_writer.cc',
  'core/shared_memory/shared_waits.cc',
  'core/shared_memory/shared_waits.h',
];

// Everything from <atomic> and <mutex> but std::lock_guard, in every file.
const RENAMED =
  /\bstd::(atomic\b|atomic_thread_fence|atomic_signal_fence|memory_order\b|memory_order_|mutex\b)/g;
const LEFT_OVER = /\bstd::(\w*atomic\w*|memory_order\w*|\w*mutex|unique_lock|condition_variable\w*)/;

// The indentation of a field of RollingLog::Cursor.
const CURSOR = '  ';

const plain = (file, type, name, indent = '') => ({
  file,
  from: `\n  ${indent}${type} ${name}`,
  to: `\n  ${indent}model::Plain<${type}> ${name}`,
});

const INSTRUMENTS = [
  // Fields without atomics that several threads use.
  plain('core/memory/segment.h', 'uint64_t', 'sequence_ ='),
  plain('core/memory/segment.h', 'uint64_t', 'first_index_ ='),
  plain('core/memory/segment.h', 'SegmentControl*', 'next_ ='),
  plain('core/memory/free_list.h', 'SegmentControl*', 'top_ ='),
  plain('core/memory/free_list.h', 'uint32_t', 'length_ ='),
  plain('core/memory/rolling_log.h', 'SegmentControl*', 'head =', CURSOR),
  plain('core/memory/rolling_log.h', 'uint32_t', 'published =', CURSOR),
  plain('core/memory/rolling_log.h', 'uint64_t', 'sequence =', CURSOR),
  plain('core/memory/rolling_log.h', 'uint64_t', 'first_index =', CURSOR),
  // Sizes are those of production, not of Relacy's types.
  { file: 'core/memory/segment.h', from: 'sizeof(SegmentControl) == kCacheLineBytes', to: 'true' },
  { file: 'core/memory/published_word.h', from: 'sizeof(PublishedWord) == 4', to: 'true' },
  // The scenario says whether there is a process-wide barrier, and main.cc what
  // the system call does.
  {
    file: 'core/platform/barrier.h',
    from: 'inline const bool is_process_wide = has_process_barrier();',
    to: 'inline const bool& is_process_wide = model::has_process_barrier;',
  },
  {
    file: 'core/platform/barrier_posix.cc',
    from: 'static const bool is_registered',
    to: 'const bool is_registered',
  },
  {
    file: 'core/platform/barrier_posix.cc',
    from: 'static const long commands',
    to: 'const long commands',
  },
  {
    file: 'core/platform/barrier_posix.cc',
    from: 'return syscall(SYS_membarrier, command, 0);',
    to: 'return model::membarrier(command);',
  },
];

const SHARED_LOG = 'core/shared_memory/shared_log.h';
const COPIES = 'core/shared_memory/segment_copies.cc';
const OPEN = 'core/shared_memory/shared_log_open.cc';
const SHARED_WAITS = 'core/shared_memory/shared_waits.cc';

const SHARED_INSTRUMENTS = [
  ...INSTRUMENTS.filter(({ file }) => COMMON.includes(file)),
  plain(SHARED_LOG, 'uint32_t', 'block =', CURSOR),
  plain(SHARED_LOG, 'uint32_t', 'published =', CURSOR),
  plain(SHARED_LOG, 'uint64_t', 'sequence =', CURSOR),
  plain(SHARED_LOG, 'uint64_t', 'first_index =', CURSOR),
  { file: SHARED_LOG, from: 'sizeof(std::atomic<uint64_t>) == 8', to: 'true' },
  { file: SHARED_LOG, from: 'sizeof(std::atomic<uint32_t>) == 4', to: 'true' },
  // What stands in the memory of all processes has its cells in the model.
  {
    file: SHARED_LOG,
    from: '*reinterpret_cast<T*>(base_ + offset)',
    to: 'model::shared<T>(base_ + offset)',
  },
  {
    file: SHARED_LOG,
    from: '*reinterpret_cast<memory::PublishedWord*>(block_data(block))',
    to: 'model::shared<memory::PublishedWord>(block_data(block))',
  },
  {
    file: SHARED_WAITS,
    from: '*reinterpret_cast<std::atomic<uint64_t>*>(',
    to: 'model::shared<std::atomic<uint64_t>>(',
  },
  {
    file: SHARED_WAITS,
    from: '*reinterpret_cast<std::atomic<uint32_t>*>(',
    to: 'model::shared<std::atomic<uint32_t>>(',
  },
  // A copy's memory has cells, too: the threads of its process share it.
  { file: COPIES, from: 'BlockPool::instance().take(bytes)', to: 'model::own_memory(bytes)' },
  { file: COPIES, from: 'BlockPool::instance().give_back(taken, bytes);', to: '(void)taken;' },
  {
    file: COPIES,
    from: 'reinterpret_cast<const std::atomic<Word>*>(from)->',
    to: 'model::shared<std::atomic<Word>>(from).',
  },
  {
    file: COPIES,
    from: '*reinterpret_cast<Word*>(to)',
    to: 'model::own<model::Plain<Word>>(to)',
  },
  {
    file: COPIES,
    from: 'reinterpret_cast<std::atomic<uint32_t>*>(block)->',
    to: 'model::own<std::atomic<uint32_t>>(block).',
  },
  {
    file: OPEN,
    from: 'reinterpret_cast<std::atomic<T>*>(base + offset)\n      ->',
    to: 'model::shared<std::atomic<T>>(base + offset)\n      .',
  },
  // Processes are threads here.
  {
    file: OPEN,
    from: 'static OpenLogs* const logs = new OpenLogs();\n    return *logs;',
    to: 'return model::of_process<OpenLogs>();',
  },
  { file: OPEN, from: 'std::this_thread::sleep_for(kSlotPause)', to: 'rl::yield(1, RL_INFO)' },
  { file: OPEN, from: 'std::this_thread::sleep_for(kNamePause)', to: 'rl::yield(1, RL_INFO)' },
  // A run makes the same choices every time.
  { file: OPEN, from: 'static_cast<uint8_t>(platform::random_word())', to: 'uint8_t{0}' },
  // The scenarios join without a file, and look at places of the memory.
  { file: SHARED_LOG, from: ' private:\n  using Word64', to: ' public:\n  using Word64' },
  {
    file: 'core/shared_memory/shared_waits.h',
    from: ' private:\n  std::atomic<uint64_t>& waited',
    to: ' public:\n  std::atomic<uint64_t>& waited',
  },
];

function replaceOnce(text, { file, from, to }) {
  const pieces = text.split(from);
  if (pieces.length !== 2) {
    throw new Error(`instrument.mjs: ${pieces.length - 1} times, not once, in ${file}:\n${from}`);
  }
  return pieces.join(to);
}

function checkFiles(edits, files) {
  for (const { file, by = 'instrument.mjs' } of edits) {
    if (!files.includes(file)) throw new Error(`${by}: ${file} is not part of the model`);
  }
}

/** Writes a file of the copy. */
function write(target, file, mutated, instruments) {
  const own = instruments.filter((edit) => edit.file === file);
  const text = own.reduce(replaceOnce, mutated).replace(RENAMED, 'model::$1');
  const left = LEFT_OVER.exec(text);
  if (left !== null) throw new Error(`instrument.mjs: ${left[0]} in ${file} is not modelled`);
  const path = join(target, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const read = (file) => readFileSync(join(source, file), 'utf8');

/**
 * The two programs: what is copied, and the ways to break it. One in `share` of the runs is made, because a
 * run of the log of processes takes longer.
 */
export const MODELS = {
  threads: {
    unit: 'unity.cc',
    files: FILES,
    instruments: INSTRUMENTS,
    mutations,
    room: 'core/memory/',
    share: { unchanged: 1, mutated: 1 },
  },
  processes: {
    unit: 'shared_unity.cc',
    files: SHARED_FILES,
    instruments: SHARED_INSTRUMENTS,
    mutations: sharedMutations,
    room: 'core/shared_memory/',
    share: { unchanged: 5, mutated: 10 },
  },
};

/** With mutation number n, counted from 1, behind model::mutation == n. */
export function instrument(target, { files, instruments, mutations: all }) {
  const edits = all.flatMap(({ name, edits: own }, i) =>
    own.map((edit) => ({ ...edit, by: name, number: i + 1 })),
  );
  checkFiles([...edits, ...instruments], files);
  for (const file of files) {
    const own = edits.filter((edit) => edit.file === file);
    write(target, file, withSwitches(read(file), own), instruments);
  }
}

/** The orders in the core stronger than relaxed that no mutation weakens, as file:line. */
export function ordersWithoutMutation() {
  const ORDER = /memory_order_\w+/g;
  const missing = [];
  const places = Object.values(MODELS).flatMap(({ files, mutations: all, room }) =>
    files.filter((file) => file.startsWith(room)).map((file) => ({ file, all })),
  );
  for (const { file, all } of places) {
    const text = read(file);
    const weakened = new Set();
    for (const { from, to } of all.flatMap(({ edits }) => edits).filter((edit) => edit.file === file)) {
      if (from.replace(ORDER, '') !== to.replace(ORDER, '')) continue;
      const after = to.match(ORDER) ?? [];
      [...from.matchAll(ORDER)].forEach((before, i) => {
        if (before[0] !== after[i]) weakened.add(text.indexOf(from) + before.index);
      });
    }
    for (const { 0: order, index } of text.matchAll(ORDER)) {
      if (order === 'memory_order_relaxed' || weakened.has(index)) continue;
      missing.push(`${file}:${text.slice(0, index).split('\n').length}`);
    }
  }
  return missing;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [target, name] = process.argv.slice(2);
  instrument(target, MODELS[name]);
}
