#include "core/durable/wal/wal_verify.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "core/base/check.h"
#include "core/durable/wal/wal_scanner.h"
#include "core/platform/thread.h"

namespace atomic_log::durable {
namespace {

using platform::File;
using platform::FileSystem;
using platform::IoStatus;
using platform::OpenMode;

WalFileFault verify_file(FileSystem& system, const WalVerifyRequest& request,
                         const WalFileInfo& info) {
  std::unique_ptr<File> file;
  const IoStatus status = system.open(
      wal_file_path(request.directory, info.number), OpenMode::kRead, &file);
  if (!status.ok()) return {status, 0, 0};
  WalScanner scanner(*file, WalCodec(request.log_id, info.number),
                     {kWalHeaderBytes, info.base_lsn, info.epoch, info.branch},
                     info.end_offset);
  WalVerdict verdict;
  do {
    verdict = scanner.next();
  } while (verdict == WalVerdict::kRecord);
  const uint64_t offset = scanner.position().offset;
  if (verdict == WalVerdict::kReadFailed) return {scanner.io(), 0, offset};
  if (verdict == WalVerdict::kWrongLsn) return {{}, kFactOtherLsn, offset};
  if (offset != info.end_offset) return {{}, kFactNoSeal, offset};
  return {};
}

// Files are handed out in their order: when one is found damaged, all before it
// are being read, or were.
class Verification {
 public:
  Verification(FileSystem& system, const WalVerifyRequest& request,
               size_t begin, size_t end)
      : system_(system), request_(request), next_(begin), first_(end) {}

  // Any number of threads.
  void work() {
    for (;;) {
      // Relaxed: each number is given once, and what it stands for was there
      // before the threads began.
      const size_t at = next_.fetch_add(1, std::memory_order_relaxed);
      if (at >= first_.load(std::memory_order_relaxed)) return;
      const WalFileFault found =
          verify_file(system_, request_, request_.files[at]);
      if (found.is_there()) note(at, found);
    }
  }

  // When the threads have ended.
  size_t first() const { return first_.load(std::memory_order_relaxed); }
  const WalFileFault& fault() const { return fault_; }

 private:
  void note(size_t at, const WalFileFault& found) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (at >= first_.load(std::memory_order_relaxed)) return;
    fault_ = found;
    first_.store(at, std::memory_order_relaxed);
  }

  FileSystem& system_;
  const WalVerifyRequest& request_;
  std::atomic<size_t> next_;
  // Written under the mutex: no file from here on needs to be read.
  std::atomic<size_t> first_;
  std::mutex mutex_;
  // Guarded by the mutex: what is wrong with that one.
  WalFileFault fault_;
};

}  // namespace

size_t wal_verify_threads() {
  return std::clamp<size_t>(platform::concurrent_threads(), 1,
                            kWalVerifyThreadsMax);
}

size_t find_wal_fault(FileSystem& system, const WalVerifyRequest& request,
                      size_t begin, size_t end, WalFileFault* fault) {
  CORE_CHECK(begin <= end && end <= request.files.size());
  Verification verification(system, request, begin, end);
  std::array<platform::Thread, kWalVerifyThreadsMax - 1> others;
  // This thread works too.
  const size_t wanted = std::min(request.threads, end - begin);
  for (size_t i = 0; i + 1 < wanted && i < others.size(); ++i) {
    if (!others[i].start([&verification] { verification.work(); }).ok()) break;
  }
  verification.work();
  for (platform::Thread& other : others) other.join();
  *fault = verification.fault();
  return verification.first();
}

}  // namespace atomic_log::durable
