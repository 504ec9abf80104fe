// The one part of the binding that any thread may enter. A double stands in for
// the runtime, and collects ArrayBuffers when and where the test wants.
#include "binding/mapping.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

// Compiled here, because the other native tests know no Node-API.
#include "binding/block_hold.cc"
#include "binding/mapping.cc"
#include "binding/memory_log.cc"
#include "support/log_fixture.h"

namespace {

struct ArrayBuffer {
  void* block = nullptr;
  size_t bytes = 0;
  napi_finalize finalize = nullptr;
  void* hint = nullptr;

  void collect() { finalize(nullptr, block, hint); }
};

ArrayBuffer created;
napi_status result = napi_ok;

}  // namespace

extern "C" napi_status napi_add_finalizer(napi_env, napi_value, void*,
                                          napi_finalize, void*, napi_ref*) {
  return napi_ok;
}

extern "C" napi_status napi_create_external_arraybuffer(napi_env, void* block,
                                                        size_t bytes,
                                                        napi_finalize finalize,
                                                        void* hint,
                                                        napi_value*) {
  if (result == napi_ok) created = {block, bytes, finalize, hint};
  return result;
}

// Only a description of a log calls these, which no test here asks for.
extern "C" napi_status napi_set_named_property(napi_env, napi_value,
                                               const char*, napi_value) {
  return napi_generic_failure;
}
extern "C" napi_status napi_create_double(napi_env, double, napi_value*) {
  return napi_generic_failure;
}
extern "C" napi_status napi_get_boolean(napi_env, bool, napi_value*) {
  return napi_generic_failure;
}
extern "C" napi_status napi_create_string_utf8(napi_env, const char*, size_t,
                                               napi_value*) {
  return napi_generic_failure;
}

namespace atomic_log::binding {

napi_value make_native_handle(napi_env, const memory::LogHandle&) {
  return nullptr;
}

namespace {

using test::Appender;
using test::is_conserved;
using test::make_log;

// The mappings of one log in one environment.
class Environment {
 public:
  explicit Environment(std::shared_ptr<memory::RollingLog> log)
      : log_(std::move(log)), any_log_(make_memory_log(log_, {})) {}

  ArrayBuffer map(uint32_t key, memory::SegmentControl* segment) {
    napi_value ignored = nullptr;
    REQUIRE(Mapping::create(nullptr, *any_log_, {0, 0, segment}, table_, key,
                            &ignored) == napi_ok);
    return created;
  }
  // Pins the head and hands the pin to the mapping.
  bool leave_pin(uint32_t key) {
    memory::SegmentControl* const segment =
        log_->try_pin(log_->head_sequence());
    REQUIRE(segment != nullptr);
    held_->hold();
    const bool is_left =
        table_->leave_pin(key, any_log_, {0, 0, segment}, held_);
    held_->drop();
    if (!is_left) log_->unpin(segment);
    return is_left;
  }
  uint64_t pinned_segments() const { return reader_->pinned_segments(); }
  const AnyLog& any_log() const { return *any_log_; }
  const std::shared_ptr<MappingTable>& table() const { return table_; }

 private:
  const std::shared_ptr<memory::RollingLog> log_;
  const std::shared_ptr<AnyLog> any_log_;
  const std::shared_ptr<memory::Reader> reader_ =
      std::make_shared<memory::Reader>(1);
  const std::shared_ptr<memory::HeldSegment> held_ =
      std::make_shared<memory::HeldSegment>(reader_);
  const std::shared_ptr<MappingTable> table_ = std::make_shared<MappingTable>();
};

TEST_CASE("a mapping shows the columns and keeps the block, not the log") {
  auto log = make_log(8, 4);
  const std::weak_ptr<memory::RollingLog> watched = log;
  ArrayBuffer buffer = Environment(log).map(7, &log->head_segment());
  const uint64_t bytes = log->layout().block_bytes();
  void* const block = log->head_segment().block();
  constexpr size_t kHeader = memory::BlockLayout::kHeaderBytes;
  CHECK(buffer.block ==
        static_cast<char*>(log->head_segment().block()) + kHeader);
  CHECK(buffer.bytes == log->layout().block_bytes() - kHeader);
  log.reset();
  CHECK(watched.expired());
  // No other log gets the block while the buffer is there.
  const auto is_taken_again = [block, bytes] {
    auto& pool = memory::BlockPool::instance();
    std::vector<void*> taken;
    do {
      taken.push_back(pool.take(bytes));
    } while (taken.back() != block && taken.size() < 10'000 &&
             pool.usage().idle_bytes > 0);
    const bool is_found = taken.back() == block;
    for (void* const other : taken) pool.give_back(other, bytes);
    return is_found;
  };
  CHECK_FALSE(is_taken_again());
  buffer.collect();
  CHECK(is_taken_again());
}

TEST_CASE("pins that a mapping adopted keep the log, and what they pin") {
  auto log = make_log(8, 4);
  const std::weak_ptr<memory::RollingLog> watched = log;
  ArrayBuffer buffer;
  {
    Environment environment(log);
    buffer = environment.map(7, &log->head_segment());
    CHECK(environment.leave_pin(7));
  }
  log.reset();
  CHECK_FALSE(watched.expired());
  buffer.collect();
  CHECK(watched.expired());
}

TEST_CASE("a table that was closed takes no pins, and mappings outlive it") {
  const auto log = make_log(8, 4);
  Environment environment(log);
  ArrayBuffer buffer = environment.map(7, &log->head_segment());
  environment.table()->close();
  CHECK_FALSE(environment.leave_pin(7));
  buffer.collect();
  CHECK(is_conserved(*log));
}

TEST_CASE("a mapping returns the pins that it was handed, once collected") {
  const auto log = make_log(8, 4);
  Environment environment(log);
  ArrayBuffer buffer = environment.map(7, &log->head_segment());
  for (int i = 0; i < 3; ++i) CHECK(environment.leave_pin(7));
  CHECK_FALSE(environment.leave_pin(8));
  CHECK(environment.pinned_segments() == 1);
  REQUIRE(Appender(*log).append(40) == Status::kOk);
  CHECK_FALSE(is_conserved(*log));
  buffer.collect();
  CHECK(is_conserved(*log));
  CHECK(environment.pinned_segments() == 0);
  CHECK_FALSE(environment.leave_pin(7));
}

TEST_CASE("a key that came around again belongs to the newer mapping") {
  const auto log = make_log(8, 4);
  Environment environment(log);
  ArrayBuffer older = environment.map(7, &log->head_segment());
  ArrayBuffer newer = environment.map(7, &log->head_segment());
  older.collect();
  CHECK(environment.leave_pin(7));
  newer.collect();
  CHECK_FALSE(environment.leave_pin(7));
}

TEST_CASE("a writer's mapping stands in no table") {
  const auto log = make_log(8, 4);
  napi_value ignored = nullptr;
  REQUIRE(Mapping::create(nullptr, Environment(log).any_log(),
                          {0, 0, &log->head_segment()}, nullptr, 0,
                          &ignored) == napi_ok);
  created.collect();
  CHECK(is_conserved(*log));
}

TEST_CASE("a runtime that refuses leaves nothing") {
  auto log = make_log(8, 4);
  const std::weak_ptr<memory::RollingLog> watched = log;
  {
    Environment environment(log);
    napi_value ignored = nullptr;
    for (const napi_status status :
         {napi_no_external_buffers_allowed, napi_pending_exception}) {
      result = status;
      CHECK(Mapping::create(nullptr, environment.any_log(),
                            {0, 0, &log->head_segment()}, environment.table(),
                            7, &ignored) == status);
      result = napi_ok;
      CHECK_FALSE(environment.leave_pin(7));
    }
  }
  log.reset();
  CHECK(watched.expired());
}

// What Deno does with every ArrayBuffer, and Bun with a transferred one.
TEST_CASE("another thread may collect while pins are handed over" *
          doctest::test_suite("threads")) {
  constexpr int kRounds = 2000;
  const auto log = make_log(8, 4);
  Environment environment(log);
  Appender appender(*log);
  std::atomic<int> round{0};
  ArrayBuffer buffer;
  std::thread collector([&] {
    for (int i = 1; i <= kRounds; ++i) {
      // Acquire: pairs with the release below, which passes the buffer on.
      while (round.load(std::memory_order_acquire) < i) {
        std::this_thread::yield();
      }
      ArrayBuffer mine = std::exchange(buffer, {});
      mine.collect();
      round.store(-i, std::memory_order_release);
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    buffer = environment.map(i, &log->head_segment());
    round.store(i, std::memory_order_release);
    for (int pin = 0; pin < 8; ++pin) environment.leave_pin(i);
    while (round.load(std::memory_order_acquire) != -i) {
      std::this_thread::yield();
    }
    REQUIRE(appender.append(5) == Status::kOk);
  }
  collector.join();
  CHECK(is_conserved(*log));
  CHECK(environment.pinned_segments() == 0);
}

}  // namespace
}  // namespace atomic_log::binding
