#include "core/abi/api.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <utility>

#include "core/abi/attachment.h"
#include "core/base/faults.h"
#include "core/memory/blocking_wait.h"
#include "core/memory/column_kind.h"
#include "core/memory/published_word.h"

namespace atomic_log::abi {
namespace {

static_assert(ATOMIC_LOG_OUT_OF_MEMORY ==
              static_cast<int32_t>(Status::kOutOfMemory));
static_assert(ATOMIC_LOG_OUT_OF_RANGE ==
              static_cast<int32_t>(Status::kOutOfRange));
static_assert(ATOMIC_LOG_GONE == static_cast<int32_t>(Status::kGone));
static_assert(ATOMIC_LOG_FOREIGN == static_cast<int32_t>(Status::kForeign));
static_assert(ATOMIC_LOG_PINNED == static_cast<int32_t>(Status::kPinned));

constexpr uint32_t code_of(memory::ColumnKind kind) {
  return static_cast<uint32_t>(kind);
}
static_assert(ATOMIC_LOG_F64 == code_of(memory::ColumnKind::kF64));
static_assert(ATOMIC_LOG_F32 == code_of(memory::ColumnKind::kF32));
static_assert(ATOMIC_LOG_I8 == code_of(memory::ColumnKind::kI8));
static_assert(ATOMIC_LOG_U8 == code_of(memory::ColumnKind::kU8));
static_assert(ATOMIC_LOG_I16 == code_of(memory::ColumnKind::kI16));
static_assert(ATOMIC_LOG_U16 == code_of(memory::ColumnKind::kU16));
static_assert(ATOMIC_LOG_I32 == code_of(memory::ColumnKind::kI32));
static_assert(ATOMIC_LOG_U32 == code_of(memory::ColumnKind::kU32));
static_assert(ATOMIC_LOG_I64 == code_of(memory::ColumnKind::kI64));
static_assert(ATOMIC_LOG_U64 == code_of(memory::ColumnKind::kU64));
static_assert(10 == code_of(memory::ColumnKind::kUtf8) &&
                  11 == code_of(memory::ColumnKind::kBytes),
              "abi.h reserves these numbers");
static_assert(ATOMIC_LOG_SEALED == memory::PublishedWord::kSealBit &&
              ATOMIC_LOG_COUNT_MASK == memory::PublishedWord::kCountMax);

atomic_log_status to_abi(Status status) {
  return static_cast<atomic_log_status>(status);
}

// Null when the system refuses.
template <typename T, typename... Arguments>
T* make(Arguments&&... arguments) {
  if (memory_is_refused()) return nullptr;
  return new (std::nothrow) T(std::forward<Arguments>(arguments)...);
}

Writer& impl(atomic_log_writer* writer) {
  return *static_cast<Writer*>(writer);
}

// --- Logs.

// JavaScript gives no handle to other logs, but a handle can be altered: shared
// storage goes with the last environment, and the descriptions of columns that
// follow are those of fixed size.
bool is_for_native_code(memory::RollingLog& log) {
  return log.storage().as_shared() == nullptr &&
         log.layout().column_offsets().size() ==
             log.layout().element_bytes().size();
}

atomic_log_status attach(const atomic_log_handle* handle,
                         atomic_log_log** result) {
  *result = nullptr;
  if (handle->abi_version != ATOMIC_LOG_ABI_VERSION ||
      handle->struct_size < sizeof(atomic_log_handle)) {
    return ATOMIC_LOG_VERSION;
  }
  std::shared_ptr<memory::RollingLog> log;
  const Status status = memory::Registry::instance().find(
      {handle->id, std::string(handle->token, sizeof(handle->token))}, &log);
  if (status != Status::kOk) return to_abi(status);
  if (!is_for_native_code(*log)) return ATOMIC_LOG_FOREIGN;
  auto* const attached = make<atomic_log_log>(std::move(log));
  if (attached == nullptr) return ATOMIC_LOG_OUT_OF_MEMORY;
  if (!attached->describe()) {
    attached->release();
    return ATOMIC_LOG_OUT_OF_MEMORY;
  }
  *result = attached;
  return ATOMIC_LOG_OK;
}

void retain(atomic_log_log* log) { log->retain(); }

void release(atomic_log_log* log) { log->release(); }

const atomic_log_info* info(const atomic_log_log* log) { return &log->info(); }

void bounds(atomic_log_log* log, uint64_t* first_index, uint64_t* end_index) {
  const memory::WindowBounds bounds = memory::window_bounds(log->log());
  *first_index = bounds.first_index;
  *end_index = bounds.end_index;
}

int32_t has_ended(const atomic_log_log* log) {
  return log->log().has_ended() ? 1 : 0;
}

int32_t is_claimed(const atomic_log_log* log) {
  return log->log().is_claimed() ? 1 : 0;
}

// In slices, because a deadline in the far future overflows the clock.
atomic_log_status wait(atomic_log_log* log, uint64_t index,
                       uint64_t timeout_ns) {
  constexpr uint64_t kSliceNs = uint64_t{3600} * 1'000'000'000;
  for (;;) {
    const uint64_t slice = std::min(timeout_ns, kSliceNs);
    switch (memory::wait_for(log->log(), index, std::chrono::nanoseconds(slice),
                             memory::WaitUntil::kEntry)) {
      case memory::Arrival::kReady:
        return ATOMIC_LOG_OK;
      case memory::Arrival::kEnded:
        return ATOMIC_LOG_ENDED;
      case memory::Arrival::kPending:
        break;
    }
    if (timeout_ns == slice) return ATOMIC_LOG_TIMED_OUT;
    if (timeout_ns != UINT64_MAX) timeout_ns -= slice;
  }
}

// --- Writing.

atomic_log_status claim(atomic_log_log* log, atomic_log_writer** result) {
  *result = nullptr;
  if (!log->log().try_claim()) {
    return log->log().has_ended() ? ATOMIC_LOG_ENDED : ATOMIC_LOG_CLAIMED;
  }
  *result = make<Writer>(log);
  if (*result != nullptr) return ATOMIC_LOG_OK;
  log->log().release_claim();
  return ATOMIC_LOG_OUT_OF_MEMORY;
}

void publish(atomic_log_writer* writer, uint32_t count) {
  memory::RollingLog& log = impl(writer).log->log();
  // The log's own count may be lower than what was published without a call.
  log.publish(std::max(count, writer->published));
  writer->published = log.published_count();
}

// The caller has stored the word already; storing it again changes nothing, and
// makes the log's own count agree.
void wake(atomic_log_writer* writer) { publish(writer, writer->published); }

atomic_log_status roll(atomic_log_writer* writer, uint32_t count) {
  memory::RollingLog& log = impl(writer).log->log();
  if (count == 0 || count > log.segment_capacity() ||
      count < writer->published) {
    return ATOMIC_LOG_OUT_OF_RANGE;
  }
  const Status status = log.roll(count);
  if (status == Status::kOk) impl(writer).describe_head();
  return to_abi(status);
}

void end(atomic_log_writer* writer) {
  publish(writer, writer->published);
  impl(writer).log->log().end();
}

void unclaim(atomic_log_writer* writer) {
  publish(writer, writer->published);
  impl(writer).log->log().release_claim();
  delete &impl(writer);
}

// --- Reading.

atomic_log_status snapshot(atomic_log_log* log, atomic_log_snapshot** result) {
  *result = nullptr;
  auto* const made = make<Snapshot>(log);
  if (made == nullptr) return ATOMIC_LOG_OUT_OF_MEMORY;
  const Status status = made->open();
  if (status == Status::kOk) {
    *result = made;
  } else {
    delete made;
  }
  return to_abi(status);
}

atomic_log_status refresh(atomic_log_snapshot* snapshot) {
  return to_abi(static_cast<Snapshot*>(snapshot)->refresh());
}

void close(atomic_log_snapshot* snapshot) {
  delete static_cast<Snapshot*>(snapshot);
}

constexpr atomic_log_api kTable = {
    ATOMIC_LOG_ABI_VERSION,
    sizeof(atomic_log_api),
    attach,
    retain,
    release,
    info,
    bounds,
    has_ended,
    is_claimed,
    wait,
    claim,
    publish,
    wake,
    roll,
    end,
    unclaim,
    snapshot,
    refresh,
    close,
};

}  // namespace

const atomic_log_api& table() { return kTable; }

atomic_log_handle make_handle(const memory::LogHandle& handle) {
  atomic_log_handle result = {ATOMIC_LOG_ABI_VERSION,
                              sizeof(atomic_log_handle),
                              &kTable,
                              handle.id,
                              {}};
  std::memcpy(result.token, handle.token.data(),
              std::min(handle.token.size(), sizeof(result.token)));
  return result;
}

}  // namespace atomic_log::abi
