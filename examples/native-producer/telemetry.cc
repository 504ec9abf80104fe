// An addon that publishes telemetry of this machine from a native thread.
//
//   start(log.nativeHandle, recordsPerSecond)   claims the writer, or throws
//   stop() => number of records                 ends the log
//
// The thread belongs to the environment that started it: the finalizer of the
// instance data stops it, because Node may unload this addon right afterwards.
// The log itself would outlive both.
#include <node_api.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>

#include "atomic_log/atomic_log.h"
#include "atomic_log/node_api.h"
#include "system.h"

namespace {

using atomic_log::native::Log;
using atomic_log::native::Status;
using std::chrono::steady_clock;

// time, cpu, rss, contextSwitches, interrupts, sequence, check
using Writer = atomic_log::native::Writer<double, double, double, double,
                                          double, uint32_t, uint32_t>;

constexpr auto kTick = std::chrono::milliseconds(1);
constexpr int kTicksPerCounters = 10;

// FNV-1a over the 32-bit words of a record: how a reader knows that it sees the
// record whole.
uint32_t checksum(uint32_t hash, double value) {
  uint32_t words[2];
  std::memcpy(words, &value, sizeof value);
  for (const uint32_t word : words) hash = (hash ^ word) * 16777619u;
  return hash;
}

class Producer {
 public:
  Producer(Writer writer, double records_per_second)
      : writer_(std::move(writer)),
        records_per_second_(records_per_second),
        thread_([this] { run(); }) {}
  ~Producer() { stop(); }

  // Ends the log and returns the number of records.
  uint64_t stop() {
    is_stopping_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
    return records_;
  }

 private:
  // Every tick publishes the records that are due by then, all at once.
  void run() {
    const auto start = steady_clock::now();
    Counters counters;
    for (uint64_t tick = 0; !is_stopping_.load(std::memory_order_relaxed);
         ++tick) {
      if (tick % kTicksPerCounters == 0) counters = read_counters();
      const std::chrono::duration<double> elapsed = steady_clock::now() - start;
      const auto due =
          static_cast<uint64_t>(elapsed.count() * records_per_second_);
      while (records_ < due && write(counters) == Status::kOk) ++records_;
      writer_.publish();
      std::this_thread::sleep_for(kTick);
    }
    (void)writer_.end();
  }

  Status write(const Counters& counters) {
    const double time = monotonic_ms();
    const double cpu = thread_cpu_ms();
    const auto sequence = static_cast<uint32_t>(records_);
    uint32_t check = (2166136261u ^ sequence) * 16777619u;
    for (const double value :
         {time, cpu, counters.resident_bytes, counters.context_switches,
          counters.interrupts}) {
      check = checksum(check, value);
    }
    return writer_.write(time, cpu, counters.resident_bytes,
                         counters.context_switches, counters.interrupts,
                         sequence, check);
  }

  Writer writer_;
  const double records_per_second_;
  uint64_t records_ = 0;  // the thread's, until it has ended
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

using Instance = std::unique_ptr<Producer>;

Instance& instance(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Instance*>(data);
}

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

napi_value start(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  double records_per_second = 0;
  if (napi_get_value_double(env, arguments[1], &records_per_second) !=
          napi_ok ||
      !(records_per_second > 0)) {
    return fail(env, "recordsPerSecond must be a positive number");
  }
  if (instance(env) != nullptr) return fail(env, "started already");

  Log log;
  Writer writer;
  Status status = Log::attach(atomic_log_get_handle(env, arguments[0]), &log);
  if (status == Status::kOk) {
    status = writer.claim(log, {"time", "cpu", "rss", "contextSwitches",
                                "interrupts", "sequence", "check"});
  }
  if (status != Status::kOk) return fail(env, describe(status));
  instance(env) =
      std::make_unique<Producer>(std::move(writer), records_per_second);
  return nullptr;
}

napi_value stop(napi_env env, napi_callback_info) {
  Instance& producer = instance(env);
  const uint64_t records = producer == nullptr ? 0 : producer->stop();
  producer.reset();
  napi_value result;
  napi_create_double(env, static_cast<double>(records), &result);
  return result;
}

napi_value init(napi_env env, napi_value exports) {
  auto* const producer = new Instance();
  napi_set_instance_data(
      env, producer,
      [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); },
      nullptr);
  const napi_property_descriptor functions[] = {
      {"start", nullptr, start, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"stop", nullptr, stop, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
  };
  napi_define_properties(env, exports, 2, functions);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
