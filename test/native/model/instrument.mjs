// Makes a copy of the core in which Relacy sees every atomic, mutex and shared
// plain field:
//
//   node instrument.mjs <target folder> [mutation]
//
// The text of the core stays as it is but for the substitutions below, and for
// those of the mutation. Each text to be replaced must be there exactly as often
// as stated, so that neither can rot.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { mutations } from './mutations.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, '../../../src-native');

const FILES = [
  'core/base/check.h',
  'core/base/faults.h',
  'core/base/status.h',
  'core/memory/block_layout.h',
  'core/memory/claim.h',
  'core/memory/free_list.h',
  'core/memory/published_word.h',
  'core/memory/rolling_log.cc',
  'core/memory/rolling_log.h',
  'core/memory/segment.h',
  'core/memory/segment_pool.cc',
  'core/memory/segment_pool.h',
  'core/memory/storage.cc',
  'core/memory/storage.h',
  'core/memory/wait_list.cc',
  'core/memory/wait_list.h',
  'core/memory/window.cc',
  'core/memory/window.h',
  'core/platform/barrier.h',
  'core/platform/barrier_posix.cc',
  'core/platform/memory.h',
  'core/platform/memory_posix.cc',
];

// Everything from <atomic> and <mutex> but std::lock_guard, in every file.
const RENAMED = /\bstd::(atomic\b|atomic_thread_fence|atomic_signal_fence|memory_order_|mutex\b)/g;
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

function replace(text, { file, from, to, times = 1 }, by) {
  const pieces = text.split(from);
  if (pieces.length !== times + 1) {
    throw new Error(`${by}: ${pieces.length - 1} times, not ${times}, in ${file}:\n${from}`);
  }
  return pieces.join(to);
}

export function instrument(target, mutation) {
  const edits = [
    ...(mutation?.edits ?? []).map((edit) => ({ edit, by: mutation.name })),
    ...INSTRUMENTS.map((edit) => ({ edit, by: 'instrument.mjs' })),
  ];
  for (const { edit, by } of edits) {
    if (!FILES.includes(edit.file)) throw new Error(`${by}: ${edit.file} is not part of the model`);
  }
  for (const file of FILES) {
    let text = readFileSync(join(source, file), 'utf8');
    for (const { edit, by } of edits) {
      if (edit.file === file) text = replace(text, edit, by);
    }
    text = text.replace(RENAMED, 'model::$1');
    const left = LEFT_OVER.exec(text);
    if (left !== null) throw new Error(`instrument.mjs: ${left[0]} in ${file} is not modelled`);
    const path = join(target, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** The orders in core/memory stronger than relaxed that no mutation weakens, as file:line. */
export function ordersWithoutMutation() {
  const ORDER = /memory_order_\w+/g;
  const missing = [];
  for (const file of FILES.filter((name) => name.startsWith('core/memory/'))) {
    const text = readFileSync(join(source, file), 'utf8');
    const weakened = new Set();
    for (const { from, to } of mutations.flatMap(({ edits }) => edits).filter((edit) => edit.file === file)) {
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
  const mutation = mutations.find((candidate) => candidate.name === name);
  if (name !== undefined && mutation === undefined) throw new Error(`no mutation is called ${name}`);
  instrument(target, mutation);
}
