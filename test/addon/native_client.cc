// Another addon that uses logs of f64 through the installed headers: for the
// tests in test/threads/native-client.test.ts and for
// benchmarks/memory/native.mjs.
//
//   attach(handle) => status                       attaches and lets go again
//   produce(handle, count, perPublish, mustEnd) => status
//                                                  appends on a thread of its
//                                                  own
//   consume(handle) => status                      reads to the end on another
//   join() => { produced, batches, entries, lost, wrong }
//                                                  waits for both threads
//   stop()                                         makes both stop early
//   openWriter(handle) => status, append(n), write64(n), batch64(n),
//   closeWriter()                                  on this thread
//   storeBare(n)                                   the same stores without a
//                                                  log
#include <node_api.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "atomic_log/atomic_log.h"
#include "atomic_log/node_api.h"

namespace {

using atomic_log::native::Batch;
using atomic_log::native::Log;
using atomic_log::native::Reader;
using atomic_log::native::Status;
using NumberWriter = atomic_log::native::Writer<double>;

constexpr std::chrono::milliseconds kSlice(20);

// What entry `index` holds, as in test/threads/worker.cjs.
double value_of(uint64_t index) {
  return std::fmod(static_cast<double>(index) * 2654435761.0, 4294967296.0);
}

struct Counts {
  uint64_t produced = 0;
  uint64_t batches = 0;
  uint64_t entries = 0;
  uint64_t lost = 0;
  uint64_t wrong = 0;
};

// The threads of one environment; its end stops them, because this addon may be
// unloaded right afterwards.
class Client {
 public:
  ~Client() {
    stop();
    join();
  }

  Status produce(Log log, uint64_t count, uint32_t per_publish, bool must_end) {
    NumberWriter writer;
    const Status status = writer.claim(log);
    if (status != Status::kOk) return status;
    if (producer_.joinable()) producer_.join();
    producer_ = std::thread([this, count, per_publish, must_end,
                             writer = std::move(writer)]() mutable {
      uint64_t produced = 0;
      while (produced < count && !is_stopping()) {
        if (writer.write(value_of(writer.next_index())) != Status::kOk) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          continue;
        }
        if (++produced % per_publish == 0) writer.publish();
      }
      writer.publish();
      if (must_end) (void)writer.end();
      counts_.produced = produced;
    });
    return Status::kOk;
  }

  Status consume(Log log) {
    if (consumer_.joinable()) consumer_.join();
    consumer_ = std::thread([this, log = std::move(log)] {
      Reader reader(log);
      Batch batch;
      Status status = Status::kOk;
      while (status != Status::kEnded && status != Status::kCancelled) {
        status = reader.next(&batch, is_stopping_);
        if (status == Status::kOk) check(batch);
      }
    });
    return Status::kOk;
  }

  void stop() { is_stopping_.store(true, std::memory_order_relaxed); }

  Counts join() {
    if (producer_.joinable()) producer_.join();
    if (consumer_.joinable()) consumer_.join();
    is_stopping_.store(false, std::memory_order_relaxed);
    return std::exchange(counts_, {});
  }

  NumberWriter& writer() { return writer_; }

 private:
  bool is_stopping() const {
    return is_stopping_.load(std::memory_order_relaxed);
  }

  void check(const Batch& batch) {
    ++counts_.batches;
    counts_.entries += batch.length;
    counts_.lost += batch.lost;
    uint64_t next = batch.first_index;
    for (const auto& chunk : batch.chunks) {
      if (chunk.first_index() != next) ++counts_.wrong;
      next += chunk.length();
      uint64_t index = chunk.first_index();
      for (const double value : chunk.column<double>()) {
        if (value != value_of(index++)) ++counts_.wrong;
      }
    }
    if (next != batch.first_index + batch.length) ++counts_.wrong;
  }

  // `produced` is the producer's, the rest the consumer's, until join().
  Counts counts_;
  std::atomic<bool> is_stopping_{false};
  NumberWriter writer_;
  std::thread producer_;
  std::thread consumer_;
};

Client& client(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Client*>(data);
}

struct Arguments {
  napi_value values[4] = {};

  Arguments(napi_env env, napi_callback_info info) {
    size_t count = 4;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  }
};

uint32_t to_uint32(napi_env env, napi_value value) {
  uint32_t result = 0;
  napi_get_value_uint32(env, value, &result);
  return result;
}

napi_value to_value(napi_env env, Status status) {
  napi_value value = nullptr;
  napi_create_int32(env, static_cast<int32_t>(status), &value);
  return value;
}

Status attach_to(napi_env env, napi_value handle, Log* log) {
  return Log::attach(atomic_log_get_handle(env, handle), log);
}

napi_value attach(napi_env env, napi_callback_info info) {
  Log log;
  return to_value(env, attach_to(env, Arguments(env, info).values[0], &log));
}

napi_value produce(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Log log;
  Status status = attach_to(env, arguments.values[0], &log);
  bool must_end = false;
  napi_get_value_bool(env, arguments.values[3], &must_end);
  if (status == Status::kOk) {
    status = client(env).produce(log, to_uint32(env, arguments.values[1]),
                                 to_uint32(env, arguments.values[2]), must_end);
  }
  return to_value(env, status);
}

napi_value consume(napi_env env, napi_callback_info info) {
  Log log;
  Status status = attach_to(env, Arguments(env, info).values[0], &log);
  if (status == Status::kOk) status = client(env).consume(log);
  return to_value(env, status);
}

napi_value stop(napi_env env, napi_callback_info) {
  client(env).stop();
  return nullptr;
}

napi_value join(napi_env env, napi_callback_info) {
  const Counts counts = client(env).join();
  napi_value object = nullptr;
  napi_create_object(env, &object);
  const auto set = [&](const char* name, uint64_t number) {
    napi_value value = nullptr;
    napi_create_double(env, static_cast<double>(number), &value);
    napi_set_named_property(env, object, name, value);
  };
  set("produced", counts.produced);
  set("batches", counts.batches);
  set("entries", counts.entries);
  set("lost", counts.lost);
  set("wrong", counts.wrong);
  return object;
}

napi_value open_writer(napi_env env, napi_callback_info info) {
  Log log;
  Status status = attach_to(env, Arguments(env, info).values[0], &log);
  if (status == Status::kOk) status = client(env).writer().claim(log);
  return to_value(env, status);
}

napi_value close_writer(napi_env env, napi_callback_info) {
  client(env).writer().close();
  return nullptr;
}

napi_value append(napi_env env, napi_callback_info info) {
  const uint32_t count = to_uint32(env, Arguments(env, info).values[0]);
  NumberWriter& writer = client(env).writer();
  Status status = Status::kOk;
  for (uint32_t i = 0; i < count && status == Status::kOk; ++i) {
    status = writer.append(i * 0.5);
  }
  return to_value(env, status);
}

napi_value write64(napi_env env, napi_callback_info info) {
  const uint32_t count = to_uint32(env, Arguments(env, info).values[0]);
  NumberWriter& writer = client(env).writer();
  Status status = Status::kOk;
  for (uint32_t i = 0; i < count && status == Status::kOk; ++i) {
    for (int j = 0; j < 64 && status == Status::kOk; ++j) {
      status = writer.write(j * 0.5);
    }
    writer.publish();
  }
  return to_value(env, status);
}

napi_value batch64(napi_env env, napi_callback_info info) {
  const uint32_t count = to_uint32(env, Arguments(env, info).values[0]);
  NumberWriter& writer = client(env).writer();
  const std::vector<double> values(64, 1.5);
  Status status = Status::kOk;
  for (uint32_t i = 0; i < count && status == Status::kOk; ++i) {
    status = writer.append_batch(values.size(), values.data());
  }
  return to_value(env, status);
}

// A value and a release store of a count for each entry, over as much memory as
// a window of 17 segments and a spare one has.
napi_value store_bare(napi_env env, napi_callback_info info) {
  constexpr uint32_t kBlocks = 18;
  constexpr uint32_t kCapacity = 4096;
  static std::vector<double> values(kBlocks * kCapacity);
  static std::atomic<uint32_t> word{0};
  const uint32_t count = to_uint32(env, Arguments(env, info).values[0]);
  uint32_t position = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (position == values.size()) position = 0;
    values[position++] = i * 0.5;
    word.store(position, std::memory_order_release);
  }
  return to_value(env, Status::kOk);
}

napi_value init(napi_env env, napi_value exports) {
  napi_set_instance_data(
      env, new Client(),
      [](napi_env, void* data, void*) { delete static_cast<Client*>(data); },
      nullptr);
  const auto define = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr,
                         &function);
    napi_set_named_property(env, exports, name, function);
  };
  define("attach", attach);
  define("produce", produce);
  define("consume", consume);
  define("stop", stop);
  define("join", join);
  define("openWriter", open_writer);
  define("closeWriter", close_writer);
  define("append", append);
  define("write64", write64);
  define("batch64", batch64);
  define("storeBare", store_bare);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
