#include "core/durable/wal/wal_log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/faults.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::Outcome;
using durable::WalCommitPolicy;
using durable::WalCompletion;
using durable::WalLevel;
using durable::WalLog;
using durable::WalSubmission;
using Fault = SimulatedFileSystem::Fault;

durable::WalOptions large_files() {
  durable::WalOptions options = small_wal();
  options.segment_bytes = uint64_t{1} << 16;
  return options;
}

struct OpenedLog {
  explicit OpenedLog(SimulatedFileSystem& system,
                     const WalCommitPolicy& policy = {}) {
    REQUIRE(WalLog::open(system, large_files(), policy, &log, &recovery,
                         &failure) == Outcome::kOk);
    log->set_notify([this] {
      const std::lock_guard<std::mutex> lock(mutex);
      ++notified;
      changed.notify_all();
    });
  }

  // Waits until so many completions were given.
  std::vector<WalCompletion> wait_for(size_t count) {
    std::vector<WalCompletion> completions;
    while (completions.size() < count) {
      uint64_t seen = 0;
      {
        const std::lock_guard<std::mutex> lock(mutex);
        seen = notified;
      }
      durable::WalSubmissions done = log->take_completions();
      while (!done.empty()) {
        completions.push_back(std::move(done.pop()->completion));
      }
      if (completions.size() >= count) break;
      std::unique_lock<std::mutex> lock(mutex);
      REQUIRE(changed.wait_for(lock, std::chrono::seconds(60),
                               [&] { return notified != seen; }));
    }
    return completions;
  }

  List<durable::WalFileInfo> files() {
    List<durable::WalFileInfo> files;
    REQUIRE(log->files(&files, &failure) == Outcome::kOk);
    return files;
  }

  std::shared_ptr<WalLog> log;
  durable::WalRecovery recovery;
  Failure failure;
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t notified = 0;
};

using Submission = std::unique_ptr<WalSubmission>;

Submission entries(size_t count, WalLevel level = WalLevel::kDisk,
                   uint8_t fill = 1) {
  auto submission = std::make_unique<WalSubmission>();
  submission->level = level;
  REQUIRE(submission->bytes.try_resize(count * 20));
  REQUIRE(submission->lengths.try_resize(count));
  std::fill(submission->bytes.begin(), submission->bytes.end(), fill);
  std::fill(submission->lengths.begin(), submission->lengths.end(), 20);
  return submission;
}

TEST_SUITE_BEGIN("threads");

TEST_CASE("wal: every submission is completed once, in order") {
  SimulatedFileSystem system;
  OpenedLog opened(system);
  uint64_t submitted = 0;
  for (size_t i = 0; i < 500; ++i) {
    opened.log->submit(entries(1 + i % 5));
    submitted += 1 + i % 5;
  }
  const auto completions = opened.wait_for(500);
  REQUIRE(completions.size() == 500);
  uint64_t next = 1;
  for (const WalCompletion& completion : completions) {
    CHECK(completion.outcome == Outcome::kOk);
    CHECK(completion.first == next);
    next += completion.count;
  }
  CHECK(next == submitted + 1);
  CHECK(opened.log->writer().durable_lsn() == submitted);
  CHECK(opened.log->acked_lsn() == submitted);
  CHECK(opened.log->queued_bytes() == 0);
  CHECK(opened.log->commits() <= 500);
  CHECK(opened.log->take_completions().empty());
}

TEST_CASE("wal: completions that no one has taken yet keep their order") {
  SimulatedFileSystem system;
  OpenedLog opened(system);
  for (int i = 0; i < 3; ++i) {
    opened.log->submit(entries(1));
    opened.log->commit();
  }
  const auto completions = opened.wait_for(3);
  REQUIRE(completions.size() == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(completions[i].first == i + 1);
}

TEST_CASE("wal: threads submit, write, sync, read and close together") {
  for (int round = 0; round < 20; ++round) {
    SimulatedFileSystem system;
    OpenedLog opened(system);
    std::atomic<uint64_t> appended{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        Failure failure;
        uint64_t lsn = 0;
        durable::WalReader reader(system, kWalDirectory);
        for (int i = 0; i < 50; ++i) {
          opened.log->submit(entries(2, WalLevel::kDisk));
          if (t == 1 && opened.log->append(*entries(1, WalLevel::kNone), &lsn,
                                           &failure) == Outcome::kOk) {
            appended.fetch_add(1);
          }
          if (t == 2) (void)opened.log->sync(&failure);
          if (t == 2) (void)opened.log->show(&reader, &failure);
          if (t == 2 && i == 25) {
            (void)opened.log->checkpoint(opened.log->writer().durable_lsn() / 2,
                                         &failure);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    Failure failure;
    CHECK(opened.log->close(&failure) == Outcome::kOk);
    CHECK(opened.wait_for(150).size() == 150);
    CHECK(opened.log->writer().durable_lsn() == 300 + appended.load());
    CHECK(opened.log->append(*entries(1), &failure.value, &failure) ==
          Outcome::kClosed);
    const OpenedWal again = open_wal(system, large_files());
    REQUIRE(again.outcome == Outcome::kOk);
    CHECK(again.writer->last_lsn() == 300 + appended.load());
  }
}

TEST_CASE("wal: a failed sync rejects every waiter, at once and for good") {
  SimulatedFileSystem system;
  OpenedLog opened(system);
  opened.log->submit(entries(3));
  CHECK(opened.wait_for(1)[0].count == 3);
  system.count_only("sync_data");
  system.fail_at(0, Fault::kOnce);
  for (int i = 0; i < 50; ++i) opened.log->submit(entries(2));
  const auto completions = opened.wait_for(50);
  for (const WalCompletion& completion : completions) {
    CHECK(completion.outcome == Outcome::kPoisoned);
    CHECK(completion.count == 0);
    CHECK(completion.failure.io.operation == std::string("sync_data"));
  }
  CHECK(opened.log->writer().durable_lsn() == 3);
  CHECK(opened.log->acked_lsn() == 3);
  opened.log->submit(entries(1));
  CHECK(opened.wait_for(1)[0].outcome == Outcome::kPoisoned);
  Failure failure;
  CHECK(opened.log->sync(&failure) == Outcome::kPoisoned);
  // What is durable can still be read.
  durable::WalReader reader(system, kWalDirectory);
  CHECK(opened.log->show(&reader, &failure) == Outcome::kOk);
  CHECK(reader.last_lsn() == 3);
  CHECK(opened.log->close(&failure) == Outcome::kPoisoned);
  CHECK(opened.log->writer().durable_lsn() == 3);
}

TEST_CASE("wal: what the sync of a full file made durable is acknowledged") {
  // The last: the sync of the next file, where a submission has gone on.
  for (const std::string name :
       {"rename", "sync_directory", "sync_all", "sync_data"}) {
    INFO(name);
    SimulatedFileSystem system;
    WalCommitPolicy policy;
    policy.wait_us = 60'000'000;
    OpenedLog opened(system, policy);
    // One commit of a file and a half, in submissions of 1 to 50 entries.
    uint64_t count = 0;
    std::vector<uint64_t> firsts;
    for (size_t i = 0; count < 1500; ++i) {
      firsts.push_back(count + 1);
      opened.log->submit(entries(1 + i % 50));
      count += 1 + i % 50;
    }
    system.count_only(name);
    system.fail_at(name == "sync_data" ? 1 : 0, Fault::kForEver);
    opened.log->commit();
    const uint64_t durable = opened.log->writer().durable_lsn();
    CHECK(durable > 500);
    CHECK(durable < count);
    CHECK(opened.log->acked_lsn() == durable);
    const auto completions = opened.wait_for(firsts.size());
    uint64_t acknowledged = 0;
    for (size_t i = 0; i < completions.size(); ++i) {
      acknowledged += completions[i].count;
      const bool is_whole = firsts[i] + i % 50 <= durable;
      CHECK((completions[i].outcome == Outcome::kOk) == is_whole);
      if (!is_whole) CHECK(completions[i].outcome == Outcome::kPoisoned);
      if (completions[i].count > 0) CHECK(completions[i].first == firsts[i]);
    }
    CHECK(acknowledged == durable);
    opened.log->stop();
    system.fail_at(UINT64_MAX, Fault::kNone);
    CHECK(open_wal(*system.kill()).writer->last_lsn() >= durable);
  }
}

TEST_CASE("wal: without a thread for the committer, only it is missing") {
  struct Refusal {
    Refusal() { refuse_threads(true); }
    ~Refusal() { refuse_threads(false); }
  };
  SimulatedFileSystem system;
  OpenedLog opened(system);
  Failure failure;
  uint64_t lsn = 0;
  {
    const Refusal refusal;
    const uint64_t operations = system.operations();
    CHECK(opened.log->submit(entries(3)) == 0);
    CHECK(opened.log->submit(std::make_unique<WalSubmission>()) == 0);
    for (const WalCompletion& completion : opened.wait_for(2)) {
      CHECK(completion.outcome == Outcome::kIo);
      CHECK(completion.count == 0);
      CHECK(completion.failure.io.code == platform::IoCode::kNoThread);
      CHECK(completion.failure.io.system_error != 0);
      CHECK(completion.failure.path == kWalDirectory);
    }
    // Nothing was written, and no LSN is taken.
    CHECK(system.operations() == operations);
    REQUIRE(opened.log->append(*entries(1), &lsn, &failure) == Outcome::kOk);
    CHECK(lsn == 1);
    CHECK(opened.log->sync(&failure) == Outcome::kOk);
    CHECK(opened.log->writer().durable_lsn() == 1);
  }
  opened.log->submit(entries(2));
  const auto completions = opened.wait_for(1);
  CHECK(completions[0].outcome == Outcome::kOk);
  CHECK(completions[0].first == 2);
  const Refusal refusal;
  // The one that runs is enough.
  opened.log->submit(entries(1));
  CHECK(opened.wait_for(1)[0].outcome == Outcome::kOk);
  CHECK(opened.log->close(&failure) == Outcome::kOk);
}

TEST_CASE("wal: a log that never had a committer closes") {
  SimulatedFileSystem system;
  {
    OpenedLog opened(system);
    refuse_threads(true);
    opened.log->submit(entries(1));
    CHECK(opened.wait_for(1)[0].outcome == Outcome::kIo);
    Failure failure;
    CHECK(opened.log->close(&failure) == Outcome::kOk);
    refuse_threads(false);
  }
  CHECK(open_wal(system, large_files()).outcome == Outcome::kOk);
}

TEST_CASE("wal: stop() drops what is queued, and releases the lock") {
  for (int round = 0; round < 50; ++round) {
    SimulatedFileSystem system;
    uint64_t acknowledged = 0;
    {
      OpenedLog opened(system);
      for (int i = 0; i < 20; ++i) opened.log->submit(entries(5));
      if (round % 2 == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(20 * round));
      }
      opened.log->stop();
      acknowledged = opened.log->acked_lsn();
    }
    const OpenedWal again = open_wal(system, large_files());
    REQUIRE(again.outcome == Outcome::kOk);
    CHECK(again.writer->last_lsn() >= acknowledged);
  }
}

TEST_CASE("wal: the policy waits for count or bytes, and a sync for nothing") {
  SimulatedFileSystem system;
  WalCommitPolicy policy;
  policy.wait_us = 60'000'000;
  policy.count = 4;
  policy.bytes = 1000;
  OpenedLog opened(system, policy);
  opened.log->submit(entries(1));
  opened.log->submit(entries(3));
  CHECK(opened.wait_for(2).size() == 2);
  auto large = std::make_unique<WalSubmission>();
  REQUIRE(large->bytes.try_resize(1000));
  REQUIRE(large->lengths.try_push_back(1000));
  opened.log->submit(std::move(large));
  CHECK(opened.wait_for(1).size() == 1);
  opened.log->submit(entries(1));
  opened.log->submit(std::make_unique<WalSubmission>());
  const auto completions = opened.wait_for(2);
  CHECK(completions[1].first == 6);
}

Submission request(durable::WalRequest what, uint64_t lsn = 0,
                   uint64_t kept_file = UINT64_MAX) {
  auto submission = std::make_unique<WalSubmission>();
  submission->request = what;
  submission->lsn = lsn;
  submission->kept_file = kept_file;
  return submission;
}

TEST_CASE("wal: a batch without entries writes nothing") {
  SimulatedFileSystem system;
  {
    OpenedLog opened(system);
    auto batch = entries(0);
    batch->is_batch = true;
    opened.log->submit(std::move(batch));
    CHECK(opened.wait_for(1)[0].outcome == Outcome::kOk);
    opened.log->submit(entries(1));
    CHECK(opened.wait_for(1)[0].first == 1);
  }
  OpenedLog again(system);
  CHECK(again.log->writer().last_lsn() == 1);
}

TEST_CASE("wal: what takes entries away keeps its place in the queue") {
  using durable::WalRequest;
  SimulatedFileSystem system;
  // So that all of them wait in the queue together.
  WalCommitPolicy policy;
  policy.wait_us = 60'000'000;
  OpenedLog opened(system, policy);
  opened.log->submit(entries(10, WalLevel::kNone));
  opened.log->submit(request(WalRequest::kTruncate, 4));
  opened.log->submit(entries(3, WalLevel::kNone));
  opened.log->submit(request(WalRequest::kFindKept, 5));
  opened.log->submit(request(WalRequest::kCheckpoint, 5));
  opened.log->submit(request(WalRequest::kCheckpoint, 8));
  opened.log->submit(entries(1, WalLevel::kNone));
  const auto completions = opened.wait_for(7);
  CHECK(completions[0].first == 1);
  CHECK(completions[0].count == 10);
  CHECK(completions[1].outcome == Outcome::kOk);
  CHECK(completions[2].first == 5);
  CHECK(completions[2].count == 3);
  // All of the first file is gone with entry 5.
  CHECK(completions[3].first == 2);
  CHECK(completions[4].outcome == Outcome::kOk);
  CHECK(completions[5].outcome == Outcome::kOutOfRange);
  CHECK(completions[5].failure.value == 7);
  CHECK(completions[6].first == 8);
  CHECK(opened.log->writer().first_lsn() == 6);
  CHECK(opened.log->writer().last_lsn() == 8);
  CHECK(opened.log->acked_lsn() == 8);
}

TEST_CASE("wal: a checkpoint in the queue deletes no file that is to stay") {
  using durable::WalRequest;
  SimulatedFileSystem system;
  OpenedLog opened(system);
  opened.log->submit(entries(10));
  opened.log->submit(request(WalRequest::kTruncate, 4));
  opened.log->submit(request(WalRequest::kCheckpoint, 4, 1));
  opened.wait_for(3);
  CHECK(opened.files().size() == 2);
  opened.log->submit(entries(1));
  opened.log->submit(request(WalRequest::kCheckpoint, 5, 2));
  opened.wait_for(2);
  CHECK(opened.files().size() == 1);
}

TEST_CASE("wal: after kFinish, closing has nothing to wait for") {
  SimulatedFileSystem system;
  OpenedLog opened(system);
  opened.log->submit(entries(10, WalLevel::kNone));
  opened.log->submit(request(durable::WalRequest::kFinish));
  CHECK(opened.wait_for(2)[1].outcome == Outcome::kOk);
  const uint64_t syncs = opened.log->writer().syncs();
  CHECK(opened.log->writer().durable_lsn() == 10);
  REQUIRE(opened.log->close(&opened.failure) == Outcome::kOk);
  CHECK(opened.log->writer().syncs() == syncs);
}

TEST_CASE("wal: an LSN that is not the next takes none") {
  SimulatedFileSystem system;
  OpenedLog opened(system);
  Submission wrong = entries(1);
  wrong->expected_lsn = 2;
  opened.log->submit(std::move(wrong));
  Submission right = entries(1);
  right->expected_lsn = 1;
  opened.log->submit(std::move(right));
  const auto completions = opened.wait_for(2);
  CHECK(completions[0].outcome == Outcome::kLsnMismatch);
  CHECK(completions[0].failure.value == 1);
  CHECK(completions[1].outcome == Outcome::kOk);
  CHECK(completions[1].first == 1);
}

// Until the committer, which writes a SYNC when it is idle, has written so many
// bytes in all: the simulated file system is for one thread at a time, and it is
// looked at under the lock of the log.
void wait_for_written(OpenedLog& opened, SimulatedFileSystem& system,
                      uint64_t bytes) {
  for (int tries = 0; tries < 1000; ++tries) {
    Failure failure;
    durable::WalReader none(system, kWalDirectory);
    REQUIRE(opened.log->show(&none, &failure) == Outcome::kOk);
    if (opened.log->writer().written_bytes() >= bytes) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST_CASE("wal: files that are not the log's any more are not read") {
  for (const bool is_replaced : {true, false}) {
    INFO(is_replaced);
    SimulatedFileSystem system;
    OpenedLog opened(system);
    const Bytes data(30'000, 1);
    uint64_t lsn = 0;
    for (int i = 0; i < 9; ++i) {
      WalSubmission submission;
      REQUIRE(submission.bytes.try_assign(data.data(), data.size()));
      REQUIRE(submission.lengths.try_push_back(30'000));
      REQUIRE(opened.log->append(std::move(submission), &lsn,
                                 &opened.failure) == Outcome::kOk);
    }
    REQUIRE(opened.log->sync(&opened.failure) == Outcome::kOk);
    wait_for_written(opened, system, opened.log->writer().written_bytes() + 1);
    const auto copy = system.kill();
    if (is_replaced) {
      // A copy that was restored has the same files.
      for (const std::string& path : system.paths()) {
        REQUIRE(
            system.rename(path, "moved" + path.substr(path.find('/'))).ok());
        system.put(path, copy->contents(path));
      }
    } else {
      REQUIRE(system.remove(wal_path(1)).ok());
    }
    durable::WalReader reader(system, kWalDirectory);
    REQUIRE(opened.log->show(&reader, &opened.failure) == Outcome::kOk);
    durable::WalChunk chunk;
    CHECK(reader.read(1, 1, 1, &chunk, &opened.failure) ==
          (is_replaced ? Outcome::kReplaced : Outcome::kCorrupt));
    CHECK(opened.failure.path == (is_replaced ? kWalDirectory : wal_path(1)));
    opened.log->stop();
  }
}

TEST_CASE("wal: when it is idle, followers are told of the last batch") {
  SimulatedFileSystem system;
  OpenedLog opened(system);
  opened.log->submit(entries(2));
  CHECK(opened.wait_for(1)[0].outcome == Outcome::kOk);
  wait_for_written(opened, system, 56 + 2 * 64 + 56);
  opened.log->stop();
  durable::WalReader reader(system, kWalDirectory);
  Failure failure;
  REQUIRE(reader.refresh(&failure) == Outcome::kOk);
  CHECK(reader.last_lsn() == 2);
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test
