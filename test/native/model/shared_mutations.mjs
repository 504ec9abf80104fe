// Ways to break the log that processes share, each alone, as mutations.mjs has
// them for the log of threads. All are compiled in at once (switches.mjs): a text
// that is replaced is whole statements, with their lines, or an expression.

const LOG_H = 'core/shared_memory/shared_log.h';
const LOG = 'core/shared_memory/shared_log.cc';
const WRITER = 'core/shared_memory/shared_log_writer.cc';
const WAITS_H = 'core/shared_memory/shared_waits.h';
const WAITS = 'core/shared_memory/shared_waits.cc';
const OPEN = 'core/shared_memory/shared_log_open.cc';
const COPIES = 'core/shared_memory/segment_copies.cc';

const edit = (file, from, to) => ({ file, from, to });
/** Replaces the last memory order of `text` (or the only one) by `order`. */
const reorder = (file, text, order = 'relaxed') =>
  edit(file, text, text.replace(/memory_order_\w+(?!.*memory_order)/s, `memory_order_${order}`));
const of = (text, order) => text.replace(/memory_order_\w+/, `memory_order_${order}`);
const relax = (file, text) => edit(file, text, text.replace(/memory_order_\w+/g, 'memory_order_relaxed'));
const swap = (file, first, second) => edit(file, first + second, second + first);
const step = (name) => `  writer_step("${name}");\n`;

// --- The reader.
const LOOK =
  'sequence_of(block).load(std::memory_order_acquire) == sequence &&\n' +
  '      stamp_of(block).load(std::memory_order_acquire) == sequence';
const OTHER_LIFE = 'holders == 0 || Entry::sequence_of(found) != sequence';
const NEWER = 'holders != 0 && other > sequence';
const CLAMP = '  if (block >= format_.blocks || sequence > kSequenceMax) return kNoBlock;\n';
const UNDO = '  drop(block, sequence);\n  return kNoBlock;\n';
const PIN_RING =
  '// Step 1. Acquire: pairs with step 8 of roll().\n  const uint32_t block = ring(sequence).load(std::memory_order_acquire)';
const LINE = `,\n${' '.repeat(35)}`;
const PIN_EXCHANGE = 'found, next, std::memory_order_acq_rel';
const PIN_CAS = `held.compare_exchange_weak(${PIN_EXCHANGE}${LINE}std::memory_order_acquire)`;
const DROP_CAS =
  `held.compare_exchange_weak(found, holders == 1 ? 0 : found - 1${LINE}std::memory_order_release` +
  `${LINE}std::memory_order_relaxed)`;
const WINDOW_HEAD = 'head().load(std::memory_order_acquire);\n    if (newest < floor)';
const BOUNDS_HEAD = 'head().load(std::memory_order_acquire);\n    if (newest > kSequenceMax)';
const LOOK_RING =
  'uint32_t* count) const {\n  const uint32_t block = ring(sequence).load(std::memory_order_acquire)';
const LOOK_FIRST = 'stands.load(std::memory_order_acquire) != sequence';
const LOOK_AGAIN =
  'stands.load(std::memory_order_acquire) == sequence &&\n' +
  '         stamp_of(block).load(std::memory_order_acquire) == sequence';
const BOUNDS_WALK = '    while (lowest < newest && !look_at(lowest, &oldest, &count)) ++lowest;\n';
const HEAD_FIRST = `    uint64_t head_first = 0;
    uint32_t head_count = 0;
    if (!look_at(newest, &head_first, &head_count)) continue;
${BOUNDS_WALK}    bounds->end_index = head_first + head_count;
    bounds->first_index = lowest < newest ? oldest : head_first;
    return SharedOutcome::kOk;
`;
const JOIN_CLEAR =
  '  // a writer that finds the entries empty writes after them.\n  clear_slot(slot_, std::memory_order_release);';
const LEAVE_CLEAR =
  '    (void)mapping_->release_file();\n    return;\n  }\n  clear_slot(slot_, std::memory_order_release)';
const HEAD_COUNT = '  newest.count = readable(word(newest.block).acquire());\n';

// --- The writer.
const RETIRED = `      stamp_of(block).store(sequence | kRetired, std::memory_order_release);
      sequence_of(block).store(sequence | kRetired, std::memory_order_release)`;
const RETIRE = `${RETIRED};\n      writer_step("retired");\n`;
const SCAN =
  '      // Step 3: pairs with step 4 of try_pin().\n      platform::full_barrier();\n' +
  '      if (is_free(block, sequence)) return block;\n';
const ENTRY_STOPS = 'Entry::holders_of(held) == 0 || Entry::sequence_of(held) != sequence';
const ALIVE = 'slot == slot_ || !file_->try_lock(slot_lock(slot))';
const CLEAR = '    clear_slot(slot, std::memory_order_relaxed);\n    writer_step("cleared");\n';
const UNLOCK = '    file_->unlock(slot_lock(slot));\n';
const STAGED = `  publish(count);\n${step('published')}`;
const WORD = '  word(block).publish(0);\n';
const FIRST = `  first_of(block).store(first_index, std::memory_order_release);\n${step('prepared')}`;
const NAMED = `stamp_of(block).store(sequence, std::memory_order_release);
  sequence_of(block).store(sequence, std::memory_order_release)`;
const SEQUENCE = `  // Step 6. Release: pairs with the second look of a pin.\n  ${NAMED};\n${step('named')}`;
const RING =
  '  // Step 8 (7: the block that this evicts is not touched). Release: pairs with\n  // step 1 of try_pin().\n' +
  `  ring(sequence).store(block, std::memory_order_release);\n${step('linked')}`;
const HEAD =
  '  // Step 9. Release: pairs with every load of the head.\n' +
  `  head().store(sequence, std::memory_order_release);\n${step('headed')}`;
const SEAL = `  // Step 10: a reader that sees the seal finds the successor.\n  word(sealed.block).seal(count);\n${step('sealed')}`;
const PUBLISH_WORD = '    word(cursor_.block).publish(count);\n    writer_step("stored");\n';
const LATE_SEAL = `    if (cursor_.sequence > 0) {
      const uint32_t before =
          ring(cursor_.sequence - 1).load(std::memory_order_relaxed);
      if (!memory::PublishedWord::is_sealed(word(before).acquire())) {
        word(before).seal(static_cast<uint32_t>(
            cursor_.first_index -
            first_of(before).load(std::memory_order_relaxed)));
      }
    }
`;
const PUBLISH_WAKE = '    waits_.published(cursor_.first_index + count);\n';

// --- The take-over.
const LINKED = '    head().store(++newest, std::memory_order_release);\n    writer_step("linked");\n';
const UNSEALED = '      word(before).seal(static_cast<uint32_t>(count));\n      writer_step("unsealed");\n';
const CURSOR = '  cursor_ = {block, count, newest, first_index};\n';
const WAKE = `  waits_.wake_all();\n${step('woken')}`;

// --- Waiting.
const RAISE = '  word.fetch_add(1, std::memory_order_release);\n';
const WAKE_SLEEPERS = '  platform::futex_wake_all(word);\n';
const EMPTY = '  place_.hint->exchange(kNoIndex, std::memory_order_acq_rel);\n';
const NOT_LOWERED =
  '!place_.hint->compare_exchange_weak(known, std::min(known, index),' +
  `\n${' '.repeat(45)}std::memory_order_acq_rel,\n${' '.repeat(45)}std::memory_order_relaxed)`;
const LOWERED = `std::min(known, index),\n${' '.repeat(45)}std::memory_order_acq_rel`;
const REST = '  lower_hint(rest);\n';
const WAITED = '    waited(place_.own_slot).store(index, std::memory_order_relaxed);\n';
const LOWER = '    lower_hint(index);\n';
const WAIT_FENCE = '    platform::full_barrier();\n';
const STOPPED = '    if (is_stopped_.load(std::memory_order_relaxed)) break;\n';
const LAST_LOOK = '    if (look_for(index)) continue;\n    if (has_ended) waiters_.wake_all();\n';
const SLEEP = '    platform::futex_wait(epoch(place_.own_slot), seen, time);\n';
const HINT_PASSED = 'end_index > place_.hint->load(std::memory_order_relaxed)';
const END_STORE = '  ended().store(1, std::memory_order_release);\n';
const END_WAKE = '  waits_.wake_all();\n';
const KERNEL_CLAIM = '  file_->unlock(kWriterLock);\n';
const OWN_CLAIM = '  claim_.release();\n';
const CLAIM_TOLD = '  wake_all();\n';
const CLAIM_WAKE = '  waits_.claim_released();\n';

// --- Copies.
const COPY_HEAD = 'const uint64_t newest = log_.head().load(std::memory_order_acquire)';
const COPY_STANDS = 'log_.sequence_of(block).load(std::memory_order_acquire) != sequence';
const COPY_STAMP = `  if (log_.stamp_of(block).load(std::memory_order_acquire) != sequence) {
    return false;
  }
`;
const COPY_ENTRIES = `  if (count > copy->count) {
    copy_entries(log_.block_data(block), copy->data.get(), copy->count, count);
  }
`;
const SHOW = '  show_count(copy->data.get(), copy->count);\n';

// --- Creation.
const FILL = '  fill(format, mapping->data());\n';
const LINK = 'made->link(path)';
const REPLACE = '    result = create(name, options, permissions, true, file);\n';

const WALK =
  'a walk begins at the head, and the load of the head has acquired all that was stored before; the order stays, so that nothing rests on that';
const FENCED = 'a full fence stands between it and what it is to order';
const RARE =
  'another thread of the process must be a whole life of the block ahead, and what it has seen must be old: too rare for these runs';
const RMW_NOTE =
  'a read-modify-write continues the release sequence of the one before, and in this model sees the newest value';

const list = [
  // --- Memory orders: who reads.
  {
    name: 'pin, ring: relaxed',
    edits: [reorder(LOG, PIN_RING)],
    seenBy: [],
    expected: 'harmless',
    note: WALK,
  },
  {
    name: 'pin, entry: relaxed',
    edits: [reorder(LOG, 'held.load(std::memory_order_acquire)')],
    seenBy: [],
    expected: 'unseen',
    note: RMW_NOTE,
  },
  {
    name: 'pin, exchange: relaxed',
    edits: [edit(LOG, PIN_EXCHANGE, of(PIN_EXCHANGE, 'relaxed'))],
    seenBy: [],
    expected: 'unseen',
    note: RARE,
  },
  {
    name: 'pin, exchange: acquire only',
    edits: [edit(LOG, PIN_EXCHANGE, of(PIN_EXCHANGE, 'acquire'))],
    seenBy: [],
    expected: 'unseen',
    note: RMW_NOTE,
  },
  {
    name: 'pin, exchange: release only',
    edits: [edit(LOG, PIN_EXCHANGE, of(PIN_EXCHANGE, 'release'))],
    seenBy: [],
    expected: 'unseen',
    note: RARE,
  },
  {
    name: 'pin, failed exchange: relaxed',
    edits: [reorder(LOG, PIN_CAS)],
    seenBy: [],
    expected: 'unseen',
    note: RARE,
  },
  { name: 'pin, second look: relaxed', edits: [relax(LOG, LOOK)], seenBy: ['pins-2'] },
  { name: 'pin, stamp: relaxed', edits: [reorder(LOG, LOOK)], seenBy: ['pins-2'] },
  { name: 'look, stamp: relaxed', edits: [reorder(LOG, LOOK_AGAIN)], seenBy: ['looks-2'] },
  {
    name: 'drop: relaxed',
    edits: [reorder(LOG, 'found - 1,\n                                   std::memory_order_release')],
    seenBy: ['snapshots-2'],
  },
  { name: 'head of a snapshot: relaxed', edits: [reorder(LOG, WINDOW_HEAD)], seenBy: ['threads'] },
  { name: 'head of the bounds: relaxed', edits: [reorder(LOG, BOUNDS_HEAD)], seenBy: ['looks-2'] },
  { name: 'look, ring: relaxed', edits: [reorder(LOG, LOOK_RING)], seenBy: ['looks-2'] },
  { name: 'look, sequence: relaxed', edits: [reorder(LOG, LOOK_FIRST)], seenBy: ['looks-2'] },
  {
    name: 'look, first index: relaxed',
    edits: [reorder(LOG, 'first_of(block).load(std::memory_order_acquire)')],
    seenBy: ['looks-2'],
  },
  { name: 'look, sequence once more: relaxed', edits: [relax(LOG, LOOK_AGAIN)], seenBy: ['looks-2'] },
  { name: "joiner's clearing: relaxed", edits: [reorder(LOG, JOIN_CLEAR)], seenBy: ['killed-joins'] },
  { name: "leaver's clearing: relaxed", edits: [reorder(LOG, LEAVE_CLEAR)], seenBy: ['leaves'] },
  {
    name: 'load of the end: relaxed',
    edits: [reorder(LOG_H, 'ended().load(std::memory_order_acquire)')],
    seenBy: ['ends'],
  },

  // --- Memory orders: who writes.
  {
    name: 'retire: relaxed',
    edits: [relax(WRITER, RETIRED)],
    seenBy: [],
    expected: 'harmless',
    note: FENCED,
  },
  {
    name: 'scan: relaxed',
    edits: [reorder(WRITER, 'entry(slot, block).load(std::memory_order_acquire)')],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'first index: relaxed',
    edits: [reorder(WRITER, 'first_of(block).store(first_index, std::memory_order_release)')],
    seenBy: [],
    expected: 'harmless',
    note: FENCED,
  },
  {
    name: 'sequence: relaxed',
    edits: [relax(WRITER, NAMED)],
    seenBy: [],
    expected: 'harmless',
    note: FENCED,
  },
  {
    name: 'ring: relaxed',
    edits: [reorder(WRITER, 'ring(sequence).store(block, std::memory_order_release)')],
    seenBy: [],
    expected: 'harmless',
    note: WALK,
  },
  {
    name: 'head: relaxed',
    edits: [reorder(WRITER, 'head().store(sequence, std::memory_order_release)')],
    seenBy: ['pins-2'],
  },
  {
    name: 'head at the take-over: relaxed',
    edits: [reorder(WRITER, 'head().store(++newest, std::memory_order_release)')],
    seenBy: ['killed-pins'],
  },
  {
    name: 'store of the end: relaxed',
    edits: [reorder(WRITER, 'ended().store(1, std::memory_order_release)')],
    seenBy: [],
    expected: 'harmless',
    note: FENCED,
  },

  // --- Memory orders: who waits and wakes.
  { name: 'epoch raised: relaxed', edits: [reorder(WAITS, RAISE)], seenBy: ['wait-for'] },
  {
    name: 'epoch read: relaxed',
    edits: [reorder(WAITS, 'epoch(place_.own_slot).load(std::memory_order_acquire)')],
    seenBy: ['wait-for'],
  },
  { name: 'hint emptied: relaxed', edits: [reorder(WAITS, EMPTY)], seenBy: ['waits-head'] },
  { name: 'hint emptied: release only', edits: [reorder(WAITS, EMPTY, 'release')], seenBy: ['waits-head'] },
  {
    name: 'hint lowered: relaxed',
    edits: [edit(WAITS, LOWERED, of(LOWERED, 'relaxed'))],
    seenBy: ['waits-head'],
  },
  {
    name: 'hint lowered: acquire only',
    edits: [edit(WAITS, LOWERED, of(LOWERED, 'acquire'))],
    seenBy: ['waits-head'],
  },

  // --- Steps of a reader.
  { name: 'no second look', edits: [edit(LOG, LOOK, 'true')], seenBy: ['snapshots-2'] },
  {
    name: 'look before the entry',
    edits: [edit(LOG, CLAMP, `${CLAMP}  if (!(${LOOK})) return kNoBlock;\n`), edit(LOG, LOOK, 'true')],
    seenBy: ['snapshots-2'],
  },
  {
    name: "no fence of the reader's",
    edits: [edit(LOG, '  platform::full_barrier();\n', '')],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'entry kept at a sequence that does not match',
    edits: [edit(LOG, UNDO, '  return kNoBlock;\n')],
    seenBy: ['pins-2'],
  },
  {
    name: 'entry of an older one stands in the way',
    edits: [edit(LOG, NEWER, 'holders != 0 && other != sequence')],
    seenBy: ['threads'],
  },
  { name: 'entry over a newer one', edits: [edit(LOG, NEWER, 'false')], seenBy: ['threads-extra'] },
  { name: 'drop by block alone', edits: [edit(LOG, OTHER_LIFE, 'holders == 0')], seenBy: ['threads-extra'] },
  {
    name: 'entry stored, not exchanged',
    edits: [edit(LOG, PIN_CAS, '(held.store(next, std::memory_order_release), true)')],
    seenBy: ['threads'],
  },
  {
    name: 'drop stored, not exchanged',
    edits: [
      edit(LOG, DROP_CAS, '(held.store(holders == 1 ? 0 : found - 1, std::memory_order_release), true)'),
    ],
    seenBy: ['threads'],
  },
  {
    name: 'second holder of a process not counted',
    edits: [edit(LOG, '      next = found + 1;\n', '      next = found;\n')],
    seenBy: ['threads'],
  },
  {
    name: 'pins of a walk that is tried again are kept',
    edits: [edit(LOG, '    drop((*pinned)[i].block, (*pinned)[i].sequence);\n', '')],
    seenBy: ['snapshots-3'],
  },
  {
    name: 'a lapped walk is not tried again',
    edits: [edit(LOG, 'next > acceptable && tries < kWalkTriesMax', 'false')],
    seenBy: ['snapshots-3'],
  },
  {
    name: "head's count read before the walk",
    edits: [
      edit(
        LOG,
        'static_cast<uint32_t>(above - first)',
        `static_cast<uint32_t>(next > newest ? readable(word(block).acquire()) : above - first)`,
      ),
      edit(LOG, HEAD_COUNT, ''),
    ],
    seenBy: ['snapshots-3'],
  },
  {
    name: 'bounds: a lapped look is not tried again',
    edits: [edit(LOG, 'lowest > acceptable && tries < kWalkTriesMax', 'false')],
    seenBy: ['looks-3'],
  },
  { name: 'bounds: head looked at first', edits: [edit(LOG, BOUNDS_WALK, HEAD_FIRST)], seenBy: ['looks-2'] },
  {
    name: 'bounds: no look at the sequence',
    edits: [edit(LOG, LOOK_FIRST, 'false')],
    seenBy: [],
    expected: 'harmless',
    note: 'the head that was loaded is not older than the segment; what came after it is noticed by the second look',
  },
  {
    name: 'bounds: no second look at the sequence',
    edits: [edit(LOG, LOOK_AGAIN, 'true')],
    seenBy: ['looks-2'],
  },
  { name: 'joiner does not clear', edits: [edit(LOG, `${JOIN_CLEAR}\n`, '')], seenBy: ['killed-reader'] },

  // --- Steps of a roll.
  { name: 'not retired', edits: [edit(WRITER, RETIRE, '')], seenBy: ['snapshots-2'] },
  {
    name: 'retired after the scan',
    edits: [
      edit(
        WRITER,
        RETIRE + SCAN,
        `      if (!is_free(block, sequence)) continue;\n${RETIRE}      platform::full_barrier();\n      return block;\n`,
      ),
    ],
    seenBy: ['snapshots-2'],
  },
  {
    name: 'retired without the sequence',
    edits: [edit(WRITER, RETIRE, RETIRE.replaceAll('sequence | kRetired', 'kNoSequence | kRetired'))],
    seenBy: ['snapshots-2'],
  },
  {
    name: "no fence of the writer's",
    edits: [edit(WRITER, '      platform::full_barrier();\n', '')],
    seenBy: ['snapshots-2'],
  },
  { name: 'no scan', edits: [edit(WRITER, 'is_free(block, sequence)', 'true')], seenBy: ['snapshots-2'] },
  {
    name: 'any entry stops the writer',
    edits: [edit(WRITER, ENTRY_STOPS, 'Entry::holders_of(held) == 0')],
    seenBy: ['stopped'],
  },
  { name: 'no lock tried', edits: [edit(WRITER, ALIVE, 'true')], seenBy: ['killed-reader'] },
  {
    name: "its own slot's lock tried",
    edits: [edit(WRITER, ALIVE, '!file_->try_lock(slot_lock(slot))')],
    seenBy: ['own-reader'],
  },
  {
    name: 'cleared without the lock',
    edits: [edit(WRITER, ALIVE, 'slot == slot_ || file_->is_locked_elsewhere(slot_lock(slot))')],
    seenBy: ['killed-reader'],
  },
  {
    name: 'unlocked before it is cleared',
    edits: [swap(WRITER, CLEAR, UNLOCK)],
    seenBy: ['joins'],
    times: 10,
  },
  { name: 'lock of a dead one kept', edits: [edit(WRITER, UNLOCK, '')], seenBy: ['killed-joins'] },
  {
    name: 'slot of a dead one not cleared',
    edits: [edit(WRITER, CLEAR, '')],
    seenBy: [],
    expected: 'harmless',
    note: 'the block is used all the same, and the next owner of the slot clears it: it costs a try of the lock each time',
  },
  {
    name: 'a block of the window is used',
    edits: [edit(WRITER, '      if (is_in_ring_[block]) continue;\n', '')],
    seenBy: ['pins-2'],
  },
  {
    name: 'staged entries published by the seal',
    edits: [edit(WRITER, STAGED, '')],
    seenBy: ['killed-batches'],
  },
  { name: 'word = 0 left out', edits: [edit(WRITER, WORD, '')], seenBy: ['snapshots-3'] },
  {
    name: 'sequence before word and first index',
    edits: [edit(WRITER, WORD + FIRST + SEQUENCE, SEQUENCE + WORD + FIRST)],
    seenBy: [],
    expected: 'harmless',
    note: WALK,
  },
  { name: 'sequence after ring', edits: [swap(WRITER, SEQUENCE, RING)], seenBy: ['linked'] },
  { name: 'head before ring', edits: [swap(WRITER, RING, HEAD)], seenBy: ['pins-2'] },
  { name: 'seal before head', edits: [swap(WRITER, HEAD, SEAL)], seenBy: ['refreshes'] },
  {
    name: 'seal before ring',
    edits: [edit(WRITER, RING + HEAD + SEAL, SEAL + RING + HEAD)],
    seenBy: ['refreshes'],
  },
  {
    name: 'seal after the first publish in the successor',
    edits: [edit(WRITER, SEAL, ''), edit(LOG_H, PUBLISH_WORD, PUBLISH_WORD + LATE_SEAL)],
    seenBy: ['relay'],
  },

  // --- The claim and the take-over.
  {
    name: "no lock of the writer's",
    edits: [edit(WRITER, '!file_->try_lock(kWriterLock)', 'false')],
    seenBy: ['killed-writer'],
  },
  {
    name: "the kernel's lock alone",
    edits: [edit(WRITER, '!claim_.try_acquire()', '(claim_.try_acquire(), false)')],
    seenBy: ['claims'],
  },
  {
    name: "the process's claim released first",
    edits: [swap(WRITER, KERNEL_CLAIM, OWN_CLAIM)],
    seenBy: ['claims'],
  },
  { name: 'LINKED left out', edits: [edit(WRITER, LINKED, '')], seenBy: ['linked'] },
  { name: 'UNSEALED left out', edits: [edit(WRITER, UNSEALED, '')], seenBy: ['killed-writer'] },
  {
    name: 'UNSEALED before LINKED',
    edits: [
      edit(WRITER, LINKED, '    ++newest;\n'),
      edit(WRITER, WAKE, `  head().store(newest, std::memory_order_release);\n${WAKE}`),
    ],
    seenBy: ['killed-batches'],
  },
  { name: 'WAKE left out', edits: [edit(WRITER, WAKE, '')], seenBy: ['killed-wake'] },
  {
    name: 'CURSOR of an earlier claim kept',
    edits: [edit(WRITER, CURSOR, `  if (cursor_.published == 0) {\n  ${CURSOR}  }\n`)],
    seenBy: ['claims'],
  },
  {
    name: 'end claimed without a second look',
    edits: [
      edit(WRITER, 'ended ? SharedOutcome::kOk : take_over()', 'take_over()'),
      edit(WRITER, 'ended || outcome != SharedOutcome::kOk', 'outcome != SharedOutcome::kOk'),
    ],
    seenBy: ['ends'],
  },

  // --- Steps of waiting and waking.
  {
    name: 'look for waiters before publish',
    edits: [swap(LOG_H, PUBLISH_WORD, PUBLISH_WAKE)],
    seenBy: ['waits-head'],
  },
  {
    name: 'no fence between publish and the look for waiters',
    edits: [edit(WAITS_H, '    platform::full_barrier();\n', '')],
    seenBy: ['waits-head'],
  },
  {
    name: 'no fence between registering and the look',
    edits: [edit(WAITS, WAIT_FENCE, '')],
    seenBy: ['waits-head'],
  },
  {
    name: 'hint looked at one entry late',
    edits: [edit(WAITS_H, HINT_PASSED, HINT_PASSED.replace('end_index', 'end_index - 1'))],
    seenBy: ['waits-head'],
  },
  {
    name: 'woken one entry late',
    edits: [edit(WAITS, 'index < end_index', 'index + 1 < end_index')],
    seenBy: ['waits-head'],
  },
  {
    name: 'sleepers woken before the epoch is raised',
    edits: [swap(WAITS, RAISE, WAKE_SLEEPERS)],
    seenBy: ['ends-held'],
  },
  {
    name: 'epoch read after the look',
    edits: [
      edit(WAITS, SLEEP, SLEEP.replace('seen', 'epoch(place_.own_slot).load(std::memory_order_acquire)')),
    ],
    seenBy: ['ends'],
  },
  {
    name: 'no look after registering',
    edits: [edit(WAITS, LAST_LOOK, '    if (has_ended) waiters_.wake_all();\n')],
    seenBy: ['waits-head'],
  },
  { name: 'index of the slot after the hint', edits: [swap(WAITS, WAITED, LOWER)], seenBy: ['waits-head'] },
  { name: 'hint of the others forgotten', edits: [edit(WAITS, REST, '')], seenBy: ['waits-head'] },
  {
    name: 'hint of the others stored',
    edits: [edit(WAITS, REST, '  place_.hint->store(rest, std::memory_order_release);\n')],
    seenBy: ['waits-head'],
  },
  { name: 'hint raised', edits: [edit(WAITS, 'std::min(known, index)', 'index')], seenBy: ['waits-head'] },
  {
    name: 'hint that is low enough only loaded',
    edits: [edit(WAITS, NOT_LOWERED, `known > index && ${NOT_LOWERED}`)],
    seenBy: ['waits-head'],
  },
  {
    name: 'stop looked at before the epoch is read',
    edits: [edit(WAITS, STOPPED, ''), edit(WAITS, SLEEP, SLEEP + STOPPED)],
    seenBy: ['waits-head'],
  },
  {
    name: 'end stored after the waiters are woken',
    edits: [swap(WRITER, END_STORE, END_WAKE)],
    seenBy: ['ends-held'],
  },
  {
    name: 'claim released after the waiters are woken',
    edits: [swap(WRITER, OWN_CLAIM, CLAIM_WAKE)],
    seenBy: ['claim-waits'],
  },
  {
    name: 'the claim of another process not looked at',
    edits: [edit(WAITS, '!has_ended && log_.is_claimed()', '!has_ended')],
    seenBy: ['killed-claim'],
  },
  {
    name: 'other processes not told of a claim that is released',
    edits: [edit(WAITS, CLAIM_TOLD, '')],
    seenBy: ['given-claim'],
  },
  {
    name: 'a name that has been told of counts as watched',
    edits: [edit(WAITS, 'watch_.is_watching()', 'writer != platform::kNoProcess')],
    seenBy: ['killed-claims'],
  },

  // --- Copies of what may only be read.
  {
    name: 'copies, head: relaxed',
    edits: [reorder(COPIES, `${COPY_HEAD};\n    if`)],
    seenBy: ['copies-batches'],
  },
  {
    name: "copies, head of the head's: relaxed",
    edits: [reorder(COPIES, `${COPY_HEAD};\n  if`)],
    seenBy: ['copy-heads'],
  },
  {
    name: 'copies, ring: relaxed',
    edits: [reorder(COPIES, 'log_.ring(sequence).load(std::memory_order_acquire)')],
    seenBy: ['copies-2'],
  },
  { name: 'copies, sequence: relaxed', edits: [reorder(COPIES, COPY_STANDS)], seenBy: ['copies-2'] },
  {
    name: 'copies, first index: relaxed',
    edits: [reorder(COPIES, 'log_.first_of(block).load(std::memory_order_acquire)')],
    seenBy: [],
    expected: 'harmless',
    note: FENCED,
  },
  {
    name: 'copies, stamp: relaxed',
    edits: [reorder(COPIES, COPY_STAMP)],
    seenBy: ['copies-2'],
    times: 5,
  },
  {
    name: 'copies, count shown: relaxed',
    edits: [reorder(COPIES, 'memory::PublishedWord::kSealBit, std::memory_order_release')],
    seenBy: [],
    expected: 'harmless',
    note: FENCED,
  },
  { name: 'copies: no look at the stamp', edits: [edit(COPIES, COPY_STAMP, '')], seenBy: ['copies-2'] },
  {
    name: 'copies: stamp looked at before the entries',
    edits: [edit(COPIES, COPY_ENTRIES, COPY_STAMP + COPY_ENTRIES), edit(COPIES, COPY_STAMP, '')],
    seenBy: ['copies-2'],
  },
  {
    name: 'copies: no fence after the entries',
    edits: [edit(COPIES, '  platform::full_barrier();\n', '')],
    seenBy: ['copies-2'],
  },
  {
    name: 'copies: no look at the sequence',
    edits: [edit(COPIES, COPY_STANDS, 'false')],
    seenBy: [],
    expected: 'harmless',
    note: 'the ring names the block, and the stamp says whether it is another one; it spares a copy that would be dropped',
  },
  {
    name: 'copies: count shown before the entries',
    edits: [
      edit(
        COPIES,
        COPY_ENTRIES,
        `  show_count(copy->data.get(), std::max(copy->count, count));\n${COPY_ENTRIES}`,
      ),
    ],
    seenBy: ['copy-heads'],
  },
  { name: 'copies: count not shown', edits: [edit(COPIES, SHOW, '')], seenBy: ['copies-2'] },
  {
    name: 'copies: the head is final',
    edits: [edit(COPIES, '  copy->is_final = sequence < newest;\n', '  copy->is_final = true;\n')],
    seenBy: ['copy-heads'],
  },
  {
    name: 'copies: one that is short is given out',
    edits: [edit(COPIES, '  if (copy->is_lapped) return false;\n', '')],
    seenBy: ['copies-2'],
  },
  {
    name: 'copies: one that is pinned is used again',
    edits: [edit(COPIES, '  if (copies_[id].pins > 0) return kNone;\n', '')],
    seenBy: ['copy-threads'],
  },
  {
    name: 'copies: one that is used again keeps its count',
    edits: [
      edit(
        COPIES,
        '  copy = {std::move(copy.data), sequence};\n',
        '  copy.sequence = sequence;\n  copy.is_final = false;\n  copy.is_lapped = false;\n',
      ),
    ],
    seenBy: ['copy-threads'],
  },
  {
    name: 'copies: a lapped walk is not tried again',
    edits: [edit(COPIES, 'pinned->back().sequence > acceptable', 'false')],
    seenBy: ['copies-3'],
  },
  {
    name: 'copies: head looked at first',
    edits: [edit(COPIES, 'pinned->back().sequence == lowest', 'true')],
    seenBy: ['copies-2'],
  },

  // --- How a process comes to a log.
  {
    name: 'creation: a new file takes the name away',
    edits: [edit(OPEN, LINK, `(SharedFile::unlink(path), ${LINK})`)],
    seenBy: ['makers'],
  },
  {
    name: 'creation: name before header',
    edits: [
      edit(OPEN, FILL, `  io = ${LINK};\n  if (!io.ok()) return failed(io);\n${FILL}`),
      edit(OPEN, LINK, 'IoStatus{}'),
    ],
    seenBy: ['makers'],
  },
  {
    name: 'creation: what another has made meanwhile is an error',
    edits: [edit(OPEN, 'made.io.code == IoCode::kExists', 'false')],
    seenBy: ['makers'],
  },
  {
    name: 'creation: a slot without its lock',
    edits: [edit(OPEN, 'file.try_lock(slot_lock(*slot))', 'true')],
    seenBy: ['makers'],
  },
  {
    name: 'creation: replaced without the lock',
    edits: [edit(OPEN, 'lock_name(old)', 'IoStatus{}')],
    seenBy: ['replaces'],
  },
  {
    name: 'creation: replaced without a second look',
    edits: [edit(OPEN, 'named_by(name, old) == Named::kThis', 'true')],
    seenBy: ['replaces'],
  },
  {
    name: 'creation: unlocked before it is replaced',
    edits: [edit(OPEN, REPLACE, `    old.unlock(kNameLock);\n${REPLACE}`)],
    seenBy: ['replaces'],
  },
  {
    name: 'creation: what has replaced it meanwhile is an error',
    edits: [edit(OPEN, 'result.io.code == IoCode::kExists', 'false')],
    seenBy: ['replaces'],
  },
  {
    name: 'creation: unlinked without the lock',
    edits: [edit(OPEN, 'lock_name(*file)', 'IoStatus{}')],
    seenBy: ['unlinks-old'],
  },
  {
    name: 'creation: unlinked without a second look',
    edits: [edit(OPEN, 'named_by(path, *file) == Named::kThis', 'true')],
    seenBy: [],
    expected: 'harmless',
    note: 'what it takes away then is what has the name now, as if it had come later',
  },
];

/** Apart from the names of those of the log of threads. */
export const sharedMutations = list.map(({ name, ...rest }) => ({ name: `processes: ${name}`, ...rest }));
