// What the addon keeps for one JavaScript environment (a main thread or a
// worker): which logs are attached there and which claims are held.
//
// Only the environment's own thread uses it. Its cleanup hook releases
// everything when the environment ends, terminated or not. Finalizers may run
// before that hook (Node) or after it (Bun, Deno), so both only drop
// references, and doing so twice is harmless.
#ifndef ATOMIC_LOG_BINDING_ENVIRONMENT_H_
#define ATOMIC_LOG_BINDING_ENVIRONMENT_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "binding/waker.h"

namespace atomic_log::memory {
class RollingLog;
}
namespace atomic_log::shared_memory {
class SharedLog;
}

namespace atomic_log::binding {

// Something that holds parts of logs on behalf of an environment.
class Holder {
 public:
  virtual ~Holder() = default;
  // Returns everything. May be called more than once.
  virtual void give_back() = 0;
};

class LogAttachment;
class WriterHandle;

// Objects by small numbers, which JavaScript passes as the first argument of
// functions that all objects share. A function for each method of each object
// would leave two finalizers that wait for the event loop to turn: 5 KB
// for every log that a synchronous loop makes and closes. A number that names
// nothing (any more) finds null.
template <typename T>
class SlotTable {
 public:
  uint32_t add(std::shared_ptr<T> object) {
    if (free_.empty()) {
      objects_.push_back(std::move(object));
      return static_cast<uint32_t>(objects_.size() - 1);
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    objects_[slot] = std::move(object);
    return slot;
  }
  T* find(uint32_t slot) const {
    return slot < objects_.size() ? objects_[slot].get() : nullptr;
  }
  // What it was; destroying it is the caller's.
  std::shared_ptr<T> remove(uint32_t slot) {
    if (find(slot) == nullptr) return nullptr;
    free_.push_back(slot);
    return std::exchange(objects_[slot], nullptr);
  }
  std::vector<std::shared_ptr<T>> remove_all() {
    free_.clear();
    return std::exchange(objects_, {});
  }

 private:
  std::vector<std::shared_ptr<T>> objects_;
  std::vector<uint32_t> free_;
};

// The log that entries are published in: one of the two, or none.
struct PublishTarget {
  memory::RollingLog* log = nullptr;
  shared_memory::SharedLog* shared_log = nullptr;
};

// What publish() looks at, in one place, because a writer calls it for every
// entry.
struct Publishing {
  // The cells that JavaScript writes (StagedCell): a writer's slot and the
  // count that it publishes. V8's memory, kept by the exports.
  const uint32_t* staged = nullptr;
  // The writer that published last, and its log, none when it is closed: a
  // thread mostly has one, and looking a slot up is a fifth of the call,
  // because each load waits for the one before.
  uint32_t slot = UINT32_MAX;
  PublishTarget target;

  void forget() {
    slot = UINT32_MAX;
    target = {};
  }
};

class Environment {
 public:
  // Makes the environment's state and registers its cleanup hook. It is there
  // for as long as JavaScript can call anything.
  static Environment* install(napi_env env);
  // The state, shared, because a holder's destructor can come later than the
  // environment's own end.
  static std::shared_ptr<Environment> of(napi_env env);

  // The cleanup hook has run: the functions of Node-API are not to be called
  // any more for JavaScript's sake, and of() finds nothing.
  bool has_ended() const { return has_ended_; }

  void add(Holder* holder) { holders_.insert(holder); }
  void remove(Holder* holder) { holders_.erase(holder); }

  SlotTable<LogAttachment>& logs() { return logs_; }
  SlotTable<WriterHandle>& writers() { return writers_; }

  Publishing& publishing() { return publishing_; }

  // Shared with the waiters, which native threads may still hold at the end.
  const std::shared_ptr<Waker>& waker() const { return waker_; }

  // The number that worker_threads gives this thread.
  void set_thread_id(uint32_t thread_id) { thread_id_ = thread_id; }
  uint32_t thread_id() const { return thread_id_; }

 private:
  static void on_cleanup(void* data);

  std::unordered_set<Holder*> holders_;
  SlotTable<LogAttachment> logs_;
  SlotTable<WriterHandle> writers_;
  Publishing publishing_;
  uint32_t thread_id_ = 0;
  bool has_ended_ = false;
  const std::shared_ptr<Waker> waker_ = std::make_shared<Waker>();
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_ENVIRONMENT_H_
