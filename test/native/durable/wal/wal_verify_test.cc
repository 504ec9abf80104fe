// Reading several files of a log at a time: it says of every log what reading
// them one after the other says. On a real disk, since the simulated one is for
// one thread.
#if !defined(_WIN32)

#include "core/durable/wal/wal_verify.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/durable/wal/wal_classify.h"
#include "support/wal_fixture.h"

namespace atomic_log::test {
namespace {

using durable::Failure;
using durable::Outcome;
using durable::WalClassification;
using durable::WalClassifyRequest;
using durable::WalFileFault;
using durable::WalRole;
using durable::WalVerifyRequest;

constexpr size_t kFiles = 30;

// A log of many files.
class Log {
 public:
  Log() {
    std::string name =
        (std::filesystem::temp_directory_path() / "atomic-log-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
    std::filesystem::create_directory(directory());
    SimulatedFileSystem system;
    OpenedWal opened = open_wal(system);
    REQUIRE(opened.outcome == Outcome::kOk);
    // No padding: what lies there is not checked.
    const Bytes entry(296, 7);
    for (size_t number = 1; number <= kFiles; ++number) {
      while (opened.writer->files().back().number <= number) {
        uint64_t lsn = 0;
        REQUIRE(opened.writer->append(entry.data(), entry.size(), &lsn) ==
                Outcome::kOk);
      }
      files_.push_back(system.contents(wal_path(number)));
    }
    REQUIRE(opened.writer->sync() == Outcome::kOk);
    files_.push_back(system.contents(wal_path(kFiles + 1)));
    for (size_t number = 1; number <= files_.size(); ++number) {
      write(number, files_[number - 1]);
    }
  }
  ~Log() { std::filesystem::remove_all(root_); }

  std::string directory() const { return root_ + "/log"; }
  // Where the records of this file end.
  size_t end(size_t number) const {
    const Bytes& bytes = files_[number - 1];
    size_t end = bytes.size();
    while (bytes[end - 1] == 0) --end;
    return end;
  }
  void damage(size_t number, size_t offset) {
    Bytes bytes = files_[number - 1];
    bytes[offset] ^= 1;
    write(number, bytes);
  }
  void mend(size_t number) { write(number, files_[number - 1]); }

 private:
  void write(size_t number, const Bytes& bytes) {
    std::ofstream file(durable::wal_file_path(directory(), number),
                       std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.good());
  }

  std::string root_;
  std::vector<Bytes> files_;
};

struct Said {
  Outcome outcome;
  durable::WalRow row;
  std::string path;
  uint64_t offset;
  std::string detail;
  bool operator==(const Said&) const = default;
};

Said verify(const Log& log, WalRole role, size_t threads) {
  WalClassifyRequest request;
  request.directory = log.directory();
  request.role = role;
  request.verifies = true;
  request.verify_threads = threads;
  WalClassification found;
  Failure failure;
  const Outcome outcome = durable::classify_wal(platform::native_file_system(),
                                                request, &found, &failure);
  return {outcome, found.row, failure.path, failure.offset, failure.detail};
}

void check_alike(const Log& log, const Said& expected) {
  for (const WalRole role : {WalRole::kReader, WalRole::kWriter}) {
    for (const size_t threads : {1, 2, 5, 16, 100}) {
      CAPTURE(threads);
      CHECK((verify(log, role, threads) == expected));
    }
  }
}

TEST_SUITE_BEGIN("threads");

TEST_CASE("verification by several threads says what one says") {
  Log log;
  const Said sound = verify(log, WalRole::kReader, 1);
  REQUIRE(sound.outcome == Outcome::kOk);
  check_alike(log, sound);
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    // The first of several files, wherever in it the damage is.
    std::set<size_t> damaged;
    for (size_t left = 1 + random() % 4; left > 0; --left) {
      const size_t number = 1 + random() % kFiles;
      const size_t last = log.end(number) - durable::kWalControlBytes;
      log.damage(number, durable::kWalHeaderBytes + 60 +
                             random() % (last - durable::kWalHeaderBytes - 60));
      damaged.insert(number);
    }
    const Said said = verify(log, WalRole::kReader, 1);
    CHECK(said.outcome == Outcome::kCorrupt);
    CHECK(said.path ==
          durable::wal_file_path(log.directory(), *damaged.begin()));
    check_alike(log, said);
    for (const size_t number : damaged) log.mend(number);
  }
  check_alike(log, sound);
}

TEST_CASE("a file that cannot be read is told like one that is damaged") {
  Log log;
  WalClassifyRequest request;
  request.directory = log.directory();
  request.role = WalRole::kReader;
  WalClassification found;
  Failure failure;
  REQUIRE(durable::classify_wal(platform::native_file_system(), request, &found,
                                &failure) == Outcome::kOk);
  std::filesystem::remove(durable::wal_file_path(log.directory(), 9));
  log.damage(12, durable::kWalHeaderBytes + 70);
  for (const size_t threads : {1, 2, 16}) {
    CAPTURE(threads);
    const std::string directory = log.directory();
    const WalVerifyRequest all = {directory, found.header.log_id, found.files,
                                  threads};
    const auto first = [&](size_t begin, size_t end, WalFileFault* fault) {
      return durable::find_wal_fault(platform::native_file_system(), all, begin,
                                     end, fault);
    };
    WalFileFault fault;
    CHECK(first(0, kFiles, &fault) == 8);
    CHECK(fault.io.code == platform::IoCode::kNotFound);
    CHECK(first(9, kFiles, &fault) == 11);
    CHECK(fault.io.ok());
    CHECK(fault.facts == durable::kFactNoSeal);
    CHECK(first(12, kFiles, &fault) == kFiles);
    CHECK_FALSE(fault.is_there());
    CHECK(first(3, 3, &fault) == 3);
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::test

#endif
