// One environment's access to a log that processes share, and its claim: the
// same functions as log_attachment.h and writer_handle.h have for the logs of
// one process, by the same contract (types/native.d.ts NativeLogs,
// NativeWriters), so that lib/memory knows no difference.
#ifndef ATOMIC_LOG_BINDING_SHARED_LOG_ATTACHMENT_H_
#define ATOMIC_LOG_BINDING_SHARED_LOG_ATTACHMENT_H_

#include <node_api.h>

#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "binding/environment.h"
#include "binding/waker.h"
#include "core/memory/reader_list.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::binding {

// The ArrayBuffers of the blocks: binding/shared_mapping.h.
class SharedMappingTable;

class SharedLogAttachment final {
 public:
  SharedLogAttachment(const Environment& environment,
                      std::shared_ptr<shared_memory::SharedLog> log);
  ~SharedLogAttachment();
  SharedLogAttachment(const SharedLogAttachment&) = delete;
  SharedLogAttachment& operator=(const SharedLogAttachment&) = delete;

  // As LogAttachment.
  static napi_value add(napi_env env,
                        std::shared_ptr<shared_memory::SharedLog> log);
  static napi_value define_functions(napi_env env, Environment* environment);
  // How a log is opened, unlinked and attached to: see shared_log_open.cc.
  static void define_doors(napi_env env, napi_value exports);

 private:
  // What this environment has of one block.
  struct Entry {
    uint64_t sequence = 0;
    uint32_t pins = 0;
    std::shared_ptr<memory::HeldSegment> held;
  };

  static napi_value pin_window(napi_env env, napi_callback_info info);
  static napi_value unpin(napi_env env, napi_callback_info info);
  static napi_value leave_pin_to_mapping(napi_env env, napi_callback_info info);
  static napi_value map(napi_env env, napi_callback_info info);
  static napi_value map_block(napi_env env, napi_callback_info info);
  static napi_value nothing(napi_env env, napi_callback_info info);
  static napi_value bounds(napi_env env, napi_callback_info info);
  static napi_value stats(napi_env env, napi_callback_info info);
  static napi_value is_claimed(napi_env env, napi_callback_info info);
  static napi_value try_claim(napi_env env, napi_callback_info info);
  static napi_value has_ended(napi_env env, napi_callback_info info);
  static napi_value wait_for_index(napi_env env, napi_callback_info info);
  static napi_value wait_for_claim(napi_env env, napi_callback_info info);
  static napi_value cancel_wait(napi_env env, napi_callback_info info);
  static napi_value follow(napi_env env, napi_callback_info info);
  static napi_value unfollow(napi_env env, napi_callback_info info);
  static napi_value name_reader(napi_env env, napi_callback_info info);
  static napi_value native_handle(napi_env env, napi_callback_info info);
  static napi_value wait_slice(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  napi_value describe(napi_env env, uint32_t slot) const;
  Entry* pinned_entry(uint32_t block);
  void drop_pin(uint32_t block, Entry* entry);
  memory::Waiter* new_waiter(uint32_t id);
  void drop_waiter(uint32_t id);

  const std::shared_ptr<Waker> waker_;
  const std::shared_ptr<shared_memory::SharedLog> log_;
  const std::shared_ptr<memory::Reader> reader_;
  std::vector<Entry> entries_;
  const std::shared_ptr<SharedMappingTable> mappings_;
  std::vector<shared_memory::PinnedBlock> scratch_;
  std::unordered_map<uint32_t, std::unique_ptr<AsyncWaiter>> waiters_;
};

// A held claim.
class SharedWriterHandle final {
 public:
  explicit SharedWriterHandle(std::shared_ptr<shared_memory::SharedLog> log)
      : log_(std::move(log)) {}
  ~SharedWriterHandle() { log_->release_claim(); }
  SharedWriterHandle(const SharedWriterHandle&) = delete;
  SharedWriterHandle& operator=(const SharedWriterHandle&) = delete;

  // All of NativeWriters but publish() and its cells, which are those of all
  // writers.
  static napi_value define_functions(napi_env env, Environment* environment);

  shared_memory::SharedLog* log() const { return log_.get(); }

 private:
  static napi_value roll(napi_env env, napi_callback_info info);
  static napi_value map(napi_env env, napi_callback_info info);
  static napi_value map_block(napi_env env, napi_callback_info info);
  static napi_value commit(napi_env env, napi_callback_info info);
  static napi_value head(napi_env env, napi_callback_info info);
  static napi_value end(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  const std::shared_ptr<shared_memory::SharedLog> log_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_SHARED_LOG_ATTACHMENT_H_
