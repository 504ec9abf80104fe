// What a mapping keeps of its log: the addresses of a block.
#ifndef ATOMIC_LOG_BINDING_BLOCK_HOLD_H_
#define ATOMIC_LOG_BINDING_BLOCK_HOLD_H_

#include <cstddef>
#include <memory>

namespace atomic_log::binding {

// While it lives, the addresses go to no other log. Any thread may end it.
class BlockHold {
 public:
  // Of a SharedArrayBuffer, which keeps the memory itself.
  BlockHold() = default;
  // Of a block of the pool.
  BlockHold(void* block, size_t bytes);
  // Of a part of a file, or a copy of it.
  explicit BlockHold(std::shared_ptr<const void> owner);
  BlockHold(BlockHold&& other) noexcept;
  ~BlockHold();
  BlockHold(const BlockHold&) = delete;
  BlockHold& operator=(const BlockHold&) = delete;

 private:
  void* block_ = nullptr;
  size_t bytes_ = 0;
  const std::shared_ptr<const void> owner_;
};

}  // namespace atomic_log::binding

#endif  // ATOMIC_LOG_BINDING_BLOCK_HOLD_H_
