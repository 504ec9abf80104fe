// The one part of the binding that any thread may enter. A double stands in for
// the runtime, and collects ArrayBuffers when and where the test wants.
#include "binding/mapping.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

// Compiled here, because the other native tests know no Node-API.
#include "binding/mapping.cc"
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
napi_status answer = napi_ok;

}  // namespace

extern "C" napi_status napi_create_external_arraybuffer(napi_env, void* block,
                                                        size_t bytes,
                                                        napi_finalize finalize,
                                                        void* hint,
                                                        napi_value*) {
  if (answer == napi_ok) created = {block, bytes, finalize, hint};
  return answer;
}

namespace atomic_log::binding {
namespace {

using test::Appender;
using test::is_conserved;
using test::make_log;

ArrayBuffer map(const std::shared_ptr<memory::RollingLog>& log,
                memory::SegmentControl* segment,
                std::weak_ptr<Mapping>* mapping) {
  napi_value ignored = nullptr;
  REQUIRE(Mapping::create(nullptr, log, segment, &ignored, mapping) == napi_ok);
  return created;
}

TEST_CASE("a mapping shows the whole block and keeps the log") {
  auto log = make_log(8, 4);
  const std::weak_ptr<memory::RollingLog> watched = log;
  std::weak_ptr<Mapping> mapping;
  ArrayBuffer buffer = map(log, &log->head_segment(), &mapping);
  CHECK(buffer.block == log->head_segment().block());
  CHECK(buffer.bytes == log->layout().block_bytes());
  log.reset();
  CHECK_FALSE(watched.expired());
  CHECK_FALSE(mapping.expired());
  buffer.collect();
  CHECK(watched.expired());
  CHECK(mapping.expired());
}

TEST_CASE("a mapping gives back the pins that it was handed, once collected") {
  const auto log = make_log(8, 4);
  std::weak_ptr<Mapping> mapping;
  ArrayBuffer buffer = map(log, &log->head_segment(), &mapping);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(log->try_pin(0) != nullptr);
    mapping.lock()->adopt_pin();
  }
  REQUIRE(Appender(*log).append(40) == Status::kOk);
  CHECK_FALSE(is_conserved(*log));
  buffer.collect();
  CHECK(is_conserved(*log));
}

TEST_CASE("a runtime that refuses leaves nothing behind") {
  auto log = make_log(8, 4);
  const std::weak_ptr<memory::RollingLog> watched = log;
  std::weak_ptr<Mapping> mapping;
  napi_value ignored = nullptr;
  for (const napi_status status :
       {napi_no_external_buffers_allowed, napi_pending_exception}) {
    answer = status;
    CHECK(Mapping::create(nullptr, log, &log->head_segment(), &ignored,
                          &mapping) == status);
    answer = napi_ok;
    CHECK(mapping.expired());
  }
  log.reset();
  CHECK(watched.expired());
}

// What Deno does with every ArrayBuffer, and Bun with a transferred one.
TEST_CASE("another thread may collect while pins are handed over" *
          doctest::test_suite("threads")) {
  constexpr int kRounds = 2000;
  const auto log = make_log(8, 4);
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
    memory::SegmentControl* const segment = &log->head_segment();
    std::weak_ptr<Mapping> mapping;
    buffer = map(log, segment, &mapping);
    std::vector<memory::PinnedSegment> pinned;
    for (int pin = 0; pin < 8; ++pin)
      pin_window(*log, segment->sequence(), &pinned);
    round.store(i, std::memory_order_release);
    for (const memory::PinnedSegment& entry : pinned) {
      if (const auto owned = mapping.lock()) {
        owned->adopt_pin();
      } else {
        log->unpin(entry.segment);
      }
    }
    while (round.load(std::memory_order_acquire) != -i) {
      std::this_thread::yield();
    }
    REQUIRE(appender.append(5) == Status::kOk);
  }
  collector.join();
  CHECK(is_conserved(*log));
}

}  // namespace
}  // namespace atomic_log::binding
