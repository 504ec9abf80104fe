#include "binding/overlay.h"

#include <cstdint>
#include <utility>

#include "binding/functions.h"
#include "core/base/faults.h"
#include "core/platform/memory.h"
#include "core/shared_memory/shared_log.h"

namespace atomic_log::binding {

using platform::IoCode;
using platform::IoStatus;

IoStatus Overlay::make(napi_env env, napi_value array,
                       shared_memory::SharedLog& log, Owned* overlay) {
  const auto bytes = to_bytes(env, array);
  const auto address = reinterpret_cast<uintptr_t>(bytes.data);
  if (bytes.count == 0 || bytes.count != log.shown_pages().bytes ||
      address % platform::page_bytes() != 0) {
    return {IoCode::kUnsupported, 0, "mmap"};
  }
  // First, because there is no way back without it.
  napi_ref memory = nullptr;
  if (memory_is_refused() ||
      napi_create_reference(env, array, 1, &memory) != napi_ok) {
    return {IoCode::kNoMemory, 0, "mmap"};
  }
  std::unique_ptr<platform::SharedMapping> pages;
  const IoStatus io = log.lay_over(bytes.data, &pages);
  if (pages == nullptr) {
    napi_delete_reference(env, memory);
    return io;
  }
  Owned made(new Overlay(env, memory, std::move(pages)));
  if (io.ok()) *overlay = std::move(made);
  return io;
}

Overlay::Overlay(napi_env env, napi_ref memory,
                 std::unique_ptr<platform::SharedMapping> pages)
    : env_(env),
      environment_(Environment::of(env)),
      memory_(memory),
      pages_(std::move(pages)) {
  environment_->add(this);
}

void Overlay::Drop::operator()(Overlay* overlay) const {
  overlay->give_back();
  if (overlay->pages_ == nullptr) delete overlay;
}

void Overlay::give_back() {
  if (pages_ == nullptr) return;
  const bool is_released = !memory_is_refused() && pages_->release_file().ok();
  // The environment's end is the last time that this can be tried.
  if (!is_released && !environment_->has_ended()) return;
  environment_->remove(this);
  pages_.reset();
  napi_delete_reference(env_, std::exchange(memory_, nullptr));
}

}  // namespace atomic_log::binding
