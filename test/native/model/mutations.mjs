// Ways to break the protocol, each alone. Every memory order that is not relaxed
// and every step whose place matters has one.
//
//   name      what is changed
//   edits     the substitutions. Texts are those of the core, and there once. All
//             are compiled in at once (switches.mjs): a text is whole statements,
//             with their lines, or an expression, or differs in memory orders only
//   seenBy    scenarios that notice, the fastest first; they are tried before
//             the others
//   times     how many times as many runs are made of each scenario, because few
//             notice it
//   expected  'caught' unless said otherwise:
//             'harmless'  changes nothing that can be seen; kept to show that
//             'unseen'    does harm, but this model has no way to see it
//   note      why, for those two

const WORD = 'core/memory/published_word.h';
const SEGMENT = 'core/memory/segment.h';
const FREE_LIST = 'core/memory/free_list.h';
const CLAIM = 'core/memory/claim.h';
const POOL_H = 'core/memory/segment_pool.h';
const POOL = 'core/memory/segment_pool.cc';
const LOG_H = 'core/memory/rolling_log.h';
const LOG = 'core/memory/rolling_log.cc';
const WINDOW = 'core/memory/window.cc';
const WAITS_H = 'core/memory/wait_list.h';
const WAITS = 'core/memory/wait_list.cc';
const BARRIER = 'core/platform/barrier.h';

const edit = (file, from, to) => ({ file, from, to });
/** Replaces the last memory order of `text` (or the only one) by `order`. */
const reorder = (file, text, order = 'relaxed') =>
  edit(file, text, text.replace(/memory_order_\w+(?!.*memory_order)/s, `memory_order_${order}`));

const EXPOSE_FIELDS = '    sequence_ = sequence;\n    first_index_ = first_index;\n';
const EXPOSE_REFS = '    refs_.store(1, std::memory_order_release);\n';
const RELEASE = 'refs_.fetch_sub(1, std::memory_order_acq_rel)';
const SEAL = '  sealed->word().seal(count);\n';
const INSTALL = '  install(successor, sequence);\n';
const RING = '  slot(sequence).store(successor, std::memory_order_release);\n';
const HEAD = '  head_sequence_.store(sequence, std::memory_order_release);\n';
const EVICT = '  if (evicted != nullptr && evicted->release()) pool_.give_back_owned(evicted);\n';
const RETAINED = '  if (segment == nullptr || !segment->try_retain()) return nullptr;\n';
const OTHER = 'segment->sequence() != sequence';
const PUBLISH_WORD = '    cursor_.word->publish(count);\n';
const PUBLISH_WAKE = '    entries_.published(cursor_.first_index + count);\n';
const REGISTER = '    entries_.push_back({waiter, index});\n';
const HEAVY = '  platform::heavy_barrier();\n';
const WAKE_INDEX = 'wake_index_.load(std::memory_order_relaxed)';
const END_STORE = '  has_ended_.store(true, std::memory_order_release);\n';

const ITS_OWN = 'segment != nullptr && segment->release()';
const RETIRED = '  is_retired_.fetch_add(1, std::memory_order_acq_rel);\n';
const TAKE_RETURNED = 'decommit_returned(may_touch) + cold_.length()';
const LATE_SEAL = `    if (cursor_.sequence > 0) {
      SegmentControl* const before =
          slot(cursor_.sequence - 1).load(std::memory_order_relaxed);
      if (!PublishedWord::is_sealed(before->word().acquire())) {
        before->word().seal(static_cast<uint32_t>(cursor_.first_index - before->first_index()));
      }
    }
`;
const RMW_NOTE =
  'a read-modify-write sees what came before it in the run, whatever its order; elsewhere it may not';

export const mutations = [
  // --- The end of a log.
  {
    name: 'drain: relaxed',
    edits: [reorder(POOL_H, 'is_retired_.fetch_add(0, std::memory_order_acq_rel)')],
    seenBy: ['retires'],
    expected: 'unseen',
    note: RMW_NOTE,
  },
  {
    name: 'retire: relaxed',
    edits: [reorder(POOL, 'is_retired_.fetch_add(1, std::memory_order_acq_rel)')],
    seenBy: ['retires'],
    expected: 'unseen',
    note: RMW_NOTE,
  },
  {
    name: 'retire takes what came back before it says so',
    edits: [
      edit(POOL, RETIRED, ''),
      edit(
        POOL,
        TAKE_RETURNED,
        `[&] {
          const uint64_t idle = ${TAKE_RETURNED};
          ${RETIRED}
          return idle;
        }()`,
      ),
    ],
    seenBy: ['retires'],
  },
  {
    name: 'late pins are not drained',
    edits: [edit(LOG_H, '    pool_.drain();\n', '')],
    seenBy: ['retires'],
  },
  {
    name: "retire keeps the log's own references",
    edits: [edit(LOG, ITS_OWN, 'false')],
    seenBy: ['retires'],
  },
  {
    name: 'retire decommits what is pinned',
    edits: [edit(LOG, ITS_OWN, '(segment->release(), true)')],
    seenBy: ['retires'],
  },
  // --- Publication.
  {
    name: 'publish: relaxed',
    edits: [reorder(WORD, 'word_.store(count, std::memory_order_release)')],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'seal: relaxed',
    edits: [reorder(WORD, 'word_.store(count | kSealBit, std::memory_order_release)')],
    seenBy: ['refreshes'],
  },
  {
    name: "load of the head's word: relaxed",
    edits: [reorder(WORD, 'word_.load(std::memory_order_acquire)')],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'head store: relaxed',
    edits: [reorder(LOG, HEAD)],
    seenBy: ['pins-2'],
  },
  {
    name: 'head load: relaxed',
    edits: [reorder(LOG_H, 'head_sequence_.load(std::memory_order_acquire)')],
    seenBy: ['pins-2'],
  },
  {
    name: 'ring store: relaxed',
    edits: [reorder(LOG, RING)],
    seenBy: ['pins-2'],
  },
  {
    name: 'ring load: relaxed',
    edits: [reorder(LOG, 'slot(sequence).load(std::memory_order_acquire)')],
    seenBy: ['pins-2'],
  },

  // --- References.
  {
    name: 'refs = 1: relaxed',
    edits: [reorder(SEGMENT, EXPOSE_REFS)],
    seenBy: ['pins-2'],
  },
  {
    name: 'first load of refs: relaxed',
    edits: [reorder(SEGMENT, 'refs_.load(std::memory_order_acquire)')],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'exchange of refs, success: relaxed',
    edits: [
      edit(
        SEGMENT,
        'refs, refs + 1, std::memory_order_acquire,',
        'refs, refs + 1, std::memory_order_relaxed,',
      ),
    ],
    seenBy: ['pins-2'],
  },
  {
    name: 'exchange of refs, failure: relaxed',
    edits: [edit(SEGMENT, '      std::memory_order_acquire)) {', '      std::memory_order_relaxed)) {')],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'drop: release only',
    edits: [reorder(SEGMENT, RELEASE, 'release')],
    seenBy: ['releases'],
  },
  {
    name: 'drop: acquire only',
    edits: [reorder(SEGMENT, RELEASE, 'acquire')],
    seenBy: ['releases'],
  },
  {
    name: 'drop: relaxed',
    edits: [reorder(SEGMENT, RELEASE)],
    seenBy: ['releases'],
  },
  {
    name: 'push to the free list: relaxed',
    edits: [
      edit(
        FREE_LIST,
        'top, segment, std::memory_order_release, std::memory_order_relaxed',
        'top, segment, std::memory_order_relaxed, std::memory_order_relaxed',
      ),
    ],
    seenBy: ['releases'],
  },
  {
    name: 'take from the free list: relaxed',
    edits: [reorder(FREE_LIST, 'top_.exchange(nullptr, std::memory_order_acquire)')],
    seenBy: ['releases'],
  },

  // --- The claim and the end.
  {
    name: 'claim: relaxed',
    edits: [
      edit(
        CLAIM,
        'true, std::memory_order_acquire, std::memory_order_relaxed',
        'true, std::memory_order_relaxed, std::memory_order_relaxed',
      ),
    ],
    seenBy: ['writers'],
  },
  {
    name: 'release of the claim: relaxed',
    edits: [reorder(CLAIM, 'held_.store(false, std::memory_order_release)')],
    seenBy: ['writers'],
  },
  {
    name: 'store of the end: relaxed',
    edits: [reorder(LOG, END_STORE)],
    seenBy: ['ends'],
  },
  {
    name: 'load of the end: relaxed',
    edits: [reorder(LOG_H, 'has_ended_.load(std::memory_order_acquire)')],
    seenBy: ['ends'],
  },

  // --- The order of steps.
  {
    name: 'staged entries published by the seal',
    edits: [edit(LOG, '  publish(count);\n', '')],
    seenBy: ['relay-batches'],
  },
  {
    name: 'head before ring',
    edits: [edit(LOG, RING + HEAD, HEAD + RING)],
    seenBy: ['pins-2'],
  },
  {
    name: 'seal before head',
    edits: [edit(LOG, INSTALL + SEAL, SEAL + INSTALL)],
    seenBy: ['refreshes'],
  },
  {
    name: 'seal after the first publish in the successor',
    edits: [edit(LOG, SEAL, ''), edit(LOG_H, PUBLISH_WORD, PUBLISH_WORD + LATE_SEAL)],
    seenBy: ['relay'],
  },
  {
    name: 'refs = 1 before the fields',
    edits: [edit(SEGMENT, EXPOSE_FIELDS + EXPOSE_REFS, EXPOSE_REFS + EXPOSE_FIELDS)],
    seenBy: ['pins-2'],
  },
  {
    name: 'word = 0 left out',
    edits: [edit(SEGMENT, '    word_->reset();\n', '')],
    seenBy: ['snapshots-2', 'releases'],
  },
  {
    name: 'word = 0 after refs = 1',
    edits: [
      edit(SEGMENT, '    word_->reset();\n', ''),
      edit(SEGMENT, EXPOSE_REFS, `${EXPOSE_REFS}    word_->reset();\n`),
    ],
    seenBy: [],
    expected: 'harmless',
    note: 'who gets a reference between the two checks the sequence, and looks at the word only after it found the segment through the head',
  },
  {
    name: "log's reference dropped before the successor is prepared",
    edits: [
      edit(LOG, EVICT, ''),
      edit(
        LOG,
        '  successor->expose(sequence, first_index);\n',
        `${EVICT}  successor->expose(sequence, first_index);\n`,
      ),
    ],
    seenBy: [],
    expected: 'harmless',
    note: 'a reader finds zero references instead of a newer segment: gone either way',
  },
  {
    name: 'sequence check before the reference',
    edits: [
      edit(
        LOG,
        RETAINED,
        `  if (segment == nullptr || ${OTHER}) return nullptr;
  if (!segment->try_retain()) return nullptr;\n`,
      ),
      edit(LOG, OTHER, 'false'),
    ],
    seenBy: ['pins-2'],
  },
  {
    name: 'sequence check left out',
    edits: [edit(LOG, OTHER, 'false')],
    seenBy: ['pins-2'],
  },
  {
    name: 'blind increment of refs',
    edits: [
      edit(
        LOG,
        RETAINED,
        `  if (segment == nullptr) return nullptr;
  segment->retain();\n`,
      ),
    ],
    seenBy: ['pins-2'],
  },
  {
    name: 'blind increment of refs, acquire',
    edits: [
      edit(
        LOG,
        RETAINED,
        `  if (segment == nullptr) return nullptr;
  segment->retain();\n`,
      ),
      edit(
        SEGMENT,
        'refs_.fetch_add(1, std::memory_order_relaxed)',
        'refs_.fetch_add(1, std::memory_order_acquire)',
      ),
    ],
    seenBy: ['pins-2'],
  },
  {
    name: 'reference kept at a sequence that does not match',
    edits: [edit(LOG, '    unpin(segment);\n', '')],
    seenBy: ['pins-2'],
  },
  {
    name: 'evicted segment not returned',
    edits: [edit(LOG, EVICT, '  if (evicted != nullptr) (void)evicted->release();\n')],
    seenBy: ['pins-2'],
  },
  {
    name: 'every drop returns the segment',
    edits: [
      edit(
        LOG_H,
        '    if (segment->release()) pool_.give_back_shared(segment);\n',
        '    segment->release();\n    pool_.give_back_shared(segment);\n',
      ),
    ],
    seenBy: ['pins-2'],
  },
  {
    name: "no reference of the log's own",
    edits: [edit(SEGMENT, 'refs_.store(1,', 'refs_.store(0,')],
    seenBy: ['pins-2'],
  },
  {
    name: "head's count read before the walk",
    edits: [
      edit(
        WINDOW,
        '      pinned->push_back({segment, 0});\n',
        '      pinned->push_back({segment, readable(log, segment->word().acquire())});\n',
      ),
      edit(WINDOW, '  head.count = readable(log, head.segment->word().acquire());\n', '  (void)head;\n'),
    ],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'a lapped walk is not tried again',
    edits: [edit(WINDOW, '(lapped && tries < kTriesMax)', '(lapped && false)')],
    seenBy: ['snapshots-3'],
  },
  {
    name: 'end claimed without a second look',
    edits: [edit(LOG, '  if (!has_ended()) return true;\n', '  return true;\n')],
    seenBy: ['ends'],
  },

  // --- Waiting.
  {
    name: 'no fence between publish and the look for waiters',
    edits: [edit(BARRIER, '    internal::full_fence();\n', '')],
    seenBy: ['waits-fences'],
  },
  {
    name: 'an exchange instead of that fence',
    edits: [
      edit(BARRIER, '    internal::full_fence();\n', ''),
      edit(
        WORD,
        '    word_.store(count, std::memory_order_release);\n',
        '    word_.exchange(count, std::memory_order_acq_rel);\n',
      ),
    ],
    seenBy: ['waits-fences'],
  },
  {
    name: 'no barrier between registering and the second look',
    edits: [edit(WAITS, HEAVY, '')],
    seenBy: ['waits-barrier', 'waits-fences', 'waits-head'],
  },
  {
    name: 'a fence instead of the process-wide barrier',
    edits: [edit(WAITS, HEAVY, '  platform::internal::full_fence();\n')],
    seenBy: ['waits-barrier', 'waits-head'],
  },
  {
    name: 'barrier before registering',
    edits: [edit(WAITS, HEAVY, ''), edit(WAITS, REGISTER, HEAVY + REGISTER)],
    seenBy: ['waits-barrier', 'waits-fences'],
  },
  {
    name: 'look for waiters before publish',
    edits: [edit(LOG_H, PUBLISH_WORD + PUBLISH_WAKE, PUBLISH_WAKE + PUBLISH_WORD)],
    seenBy: ['waits-head', 'waits-fences'],
  },
  {
    name: 'waiters woken one entry late',
    edits: [edit(WAITS_H, `end_index > ${WAKE_INDEX}`, `end_index > 1 + ${WAKE_INDEX}`)],
    seenBy: ['waits-head'],
  },
  {
    name: 'end stored after the waiters are woken',
    edits: [edit(LOG, `${END_STORE}  entries_.wake_all();\n`, `  entries_.wake_all();\n${END_STORE}`)],
    seenBy: ['ends'],
  },
  {
    name: 'claim released after the waiters are woken',
    edits: [
      edit(
        LOG,
        '  claim_.release();\n  claims_.wake_all();\n',
        '  claims_.wake_all();\n  claim_.release();\n',
      ),
    ],
    seenBy: ['claims'],
  },
  {
    name: 'no compiler fence between publish and the look for waiters',
    edits: [edit(BARRIER, '    std::atomic_signal_fence(std::memory_order_seq_cst);\n', '')],
    seenBy: [],
    expected: 'unseen',
    note: 'Relacy runs the steps in the order of the source; what a compiler might do is "look for waiters before publish" above',
  },
];
