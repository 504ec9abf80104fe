#if defined(__linux__)

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crc32.h"
#include "core/base/little_endian.h"
#include "core/shared_memory/shared_log.h"
#include "support/faults.h"
#include "support/shared_log_fixture.h"

using namespace atomic_log;
using namespace atomic_log::test;
using shared_memory::Mismatch;

namespace {

OpenResult try_open(const std::string& path, SharedOpenMode mode) {
  const SharedLogOptions options = small_options();
  std::shared_ptr<SharedLog> log;
  return SharedLog::open(path, mode, &options, 0600, {}, &log);
}

// Changes a header, and its checksum with it.
void change_header(const std::string& path, size_t at, uint8_t mask) {
  const int file = open(path.c_str(), O_RDWR);
  std::vector<uint8_t> header(128);
  REQUIRE(pread(file, header.data(), 128, 0) == 128);
  header.resize(load_u32(header.data() + 16));
  REQUIRE(pread(file, header.data(), header.size(), 0) ==
          static_cast<ssize_t>(header.size()));
  header[at] ^= mask;
  store_u32(header.data() + 20, 0);
  store_u32(header.data() + 20,
            crc32(Crc32Kind::kCastagnoli, 0, header.data(), header.size()));
  REQUIRE(pwrite(file, header.data(), header.size(), 0) ==
          static_cast<ssize_t>(header.size()));
  close(file);
}

}  // namespace

TEST_CASE("shared log: made, joined, joined again by the same process") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  CHECK(try_open(path, SharedOpenMode::kJoin).io.code ==
        platform::IoCode::kNotFound);
  const auto log = open_log(path);
  REQUIRE(log != nullptr);
  CHECK(directory.names() == 1);
  CHECK(open_log(path, small_options(), SharedOpenMode::kJoin) == log);
  CHECK(SharedLog::find(log->id(), log->token()) == log);
  CHECK(SharedLog::find(log->id(), "other") == nullptr);
  CHECK(try_open(path, SharedOpenMode::kCreate).io.code ==
        platform::IoCode::kExists);
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(static_cast<uint64_t>(info.st_blocks) * 512 >=
        log->format().file_bytes);
}

TEST_CASE("shared log: what is not one is refused, and it is said why") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  CHECK(try_open(directory.path(), SharedOpenMode::kCreateOrJoin).outcome ==
        SharedOutcome::kIo);
  CHECK(try_open(directory.file("no/log"), SharedOpenMode::kCreateOrJoin)
            .io.code == platform::IoCode::kNotFound);
  close(open(path.c_str(), O_CREAT | O_RDWR, 0600));
  CHECK(try_open(path, SharedOpenMode::kCreateOrJoin).mismatch ==
        Mismatch::kMagic);
  CHECK(SharedLog::unlink(path).mismatch == Mismatch::kMagic);
  unlink(path.c_str());

  open_log(path).reset();
  change_header(path, 12, 3);
  const OpenResult other = try_open(path, SharedOpenMode::kJoin);
  CHECK(other.mismatch == Mismatch::kVersion);
  CHECK(other.found == 1);
  change_header(path, 12, 3);
  REQUIRE(truncate(path.c_str(), 4096) == 0);
  CHECK(try_open(path, SharedOpenMode::kJoin).mismatch == Mismatch::kFileBytes);
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  CHECK(directory.names() == 0);
}

TEST_CASE("shared log: a file of another run of the system gives way") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto log = open_log(path);
  const std::string token = log->token();
  log.reset();
  change_header(path, 96, 0xff);
  CHECK(try_open(path, SharedOpenMode::kJoin).mismatch == Mismatch::kBoot);
  log = open_log(path);
  REQUIRE(log != nullptr);
  CHECK(log->token() != token);
  CHECK(directory.names() == 1);

  // Who asks for a new one gets it, and no one after that.
  log.reset();
  change_header(path, 96, 0xff);
  log = open_log(path, small_options(), SharedOpenMode::kCreate);
  CHECK(log != nullptr);
  CHECK(try_open(path, SharedOpenMode::kCreate).io.code ==
        platform::IoCode::kExists);
}

TEST_CASE("shared log: it gives way whatever its name, and no other file") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const std::string longest = directory.file(std::string(255, 'x').c_str());
  const std::string theirs = path + ".new-atomic-log";
  close(open(theirs.c_str(), O_CREAT | O_RDWR, 0600));
  for (const std::string& old : {path, longest}) {
    auto log = open_log(old);
    REQUIRE(log != nullptr);
    const std::string token = log->token();
    log.reset();
    change_header(old, 96, 0xff);
    log = open_log(old);
    REQUIRE(log != nullptr);
    CHECK(log->token() != token);
  }
  struct stat info;
  CHECK(stat(theirs.c_str(), &info) == 0);
  CHECK(directory.names() == 3);
}

namespace {

// Four processes open it so at once; the id of the log that all of them have.
std::string opened_at_once(const std::string& path, SharedOpenMode mode) {
  pid_t children[4];
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  for (pid_t& child : children) {
    child = in_child([&] {
      const auto log = open_log(path, small_options(), mode);
      if (log == nullptr) return 1;
      return write(pipes[1], log->token().data(), 32) == 32 ? 0 : 2;
    });
  }
  std::string tokens[4];
  for (std::string& token : tokens) {
    token.resize(32);
    CHECK(read(pipes[0], token.data(), 32) == 32);
    CHECK(token == tokens[0]);
  }
  for (const pid_t child : children) CHECK(status_of(child) == 0);
  close(pipes[0]);
  close(pipes[1]);
  return tokens[0];
}

// An ended log with other sizes than those that small_options() has.
std::string end_log(const std::string& path) {
  SharedLogOptions options = small_options();
  options.retained_capacity = 80;
  const auto log = open_log(path, options, SharedOpenMode::kReplaceEnded);
  REQUIRE(log != nullptr);
  REQUIRE(claim(*log));
  log->end();
  log->release_claim();
  return log->token();
}

}  // namespace

// Where /proc is not there, or a sandbox hides it: the log that others use must not
// be taken for one of an earlier run.
TEST_CASE("shared log: a run of the system that is not said is this one") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  auto log = open_log(path);
  const std::string token = log->token();
  log.reset();
  platform::BootId own;
  REQUIRE(platform::boot_id(&own).ok());
  for (size_t i = 0; i < 16; ++i) {
    change_header(path, 96 + i, own.bytes[i]);
  }
  log = open_log(path);
  REQUIRE(log != nullptr);
  CHECK(log->token() == token);
  CHECK_FALSE(log->is_of_earlier_run());
}

TEST_CASE("shared log: one that has ended gives way where that is asked for") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const std::string token = end_log(path);
  CHECK(open_log(path, {}, SharedOpenMode::kJoin)->token() == token);
  CHECK(open_log(path)->token() == token);
  CHECK(try_open(path, SharedOpenMode::kCreate).io.code ==
        platform::IoCode::kExists);
  // Who has it open keeps it.
  const auto old = open_log(path);
  const auto log =
      open_log(path, small_options(), SharedOpenMode::kReplaceEnded);
  REQUIRE(log != nullptr);
  CHECK(log->token() != token);
  CHECK(log->format().options.retained_capacity == 8);
  CHECK(old->has_ended());
  REQUIRE(claim(*log));
  REQUIRE(append(*log) == Status::kOk);
  CHECK(directory.names() == 1);
  // One that goes on is joined.
  CHECK(open_log(path, small_options(), SharedOpenMode::kReplaceEnded) == log);
  log->release_claim();
}

TEST_CASE("shared log: one that is not meant is refused, and takes no slot") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const std::string token = open_log(path)->token();
  for (const SharedOpenMode mode :
       {SharedOpenMode::kJoin, SharedOpenMode::kReadOnly,
        SharedOpenMode::kReadOnlyInFile}) {
    std::shared_ptr<SharedLog> log;
    const auto open = [&](const std::string& other_than) {
      return SharedLog::open(path, mode, nullptr, 0, {false, other_than}, &log);
    };
    CHECK(open(token).mismatch == Mismatch::kSame);
    CHECK(log == nullptr);
    CHECK(open(std::string(32, '0')).outcome == SharedOutcome::kOk);
    CHECK(log->token() == token);
  }
}

TEST_CASE("shared log: processes that replace it at once get one") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  for (int round = 0; round < 10; ++round) {
    const std::string old = end_log(path);
    CHECK(opened_at_once(path, SharedOpenMode::kReplaceEnded) != old);
    CHECK(directory.names() == 1);
    CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  }
}

TEST_CASE("shared log: who is killed while it replaces one leaves nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const std::string old = end_log(path);
  CHECK(status_of(in_child([&] {
          at_writer_step([](const char* name) {
            if (std::strcmp(name, "unnamed") == 0) kill(getpid(), SIGKILL);
          });
          open_log(path, small_options(), SharedOpenMode::kReplaceEnded);
          return 0;
        })) == -SIGKILL);
  // Where every file has a name, the next one takes it away.
  if (makes_unnamed_files(directory)) CHECK(directory.names() == 0);
  const auto log =
      open_log(path, small_options(), SharedOpenMode::kReplaceEnded);
  REQUIRE(log != nullptr);
  CHECK(log->token() != old);
  CHECK(directory.names() == 1);
}

TEST_CASE("shared log: unlink takes the name, and who has it keeps the log") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  const auto log = open_log(path);
  REQUIRE(claim(*log));
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  CHECK(SharedLog::unlink(path).io.code == platform::IoCode::kNotFound);
  for (int i = 0; i < 100; ++i) REQUIRE(append(*log) == Status::kOk);
  const auto next = open_log(path);
  CHECK(next != log);
  uint64_t first = 0;
  uint64_t end = 0;
  CHECK(reads_right(*log, &first, &end));
  CHECK(end == 100);
  CHECK(reads_right(*next, &first, &end));
  CHECK(end == 0);
  log->release_claim();
}

// A process that is stopped within unlink() has the lock for as long.
TEST_CASE("shared log: unlink waits for another, but not forever") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  open_log(path).reset();
  std::unique_ptr<platform::SharedFile> other;
  REQUIRE(platform::SharedFile::open(path, platform::SharedAccess::kReadWrite,
                                     &other)
              .ok());
  REQUIRE(other->try_lock(shared_memory::kNameLock));
  CHECK(SharedLog::unlink(path).io.code == platform::IoCode::kLocked);
  other->unlock(shared_memory::kNameLock);
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
}

TEST_CASE("shared log: processes that make it at once get one") {
  const TemporaryDirectory directory;
  for (int round = 0; round < 10; ++round) {
    const std::string path = directory.file();
    CHECK(opened_at_once(path, SharedOpenMode::kCreateOrJoin).size() == 32);
    CHECK(directory.names() == 1);
    CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
  }
}

TEST_CASE("shared log: as many processes as it has slots") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.readers_max = 1;
  auto log = open_log(path, options);
  CHECK(status_of(in_child([&] {
          std::shared_ptr<SharedLog> other;
          const OpenResult result = SharedLog::open(path, SharedOpenMode::kJoin,
                                                    nullptr, 0, {}, &other);
          return result.outcome == SharedOutcome::kNoSlot ? 0 : 1;
        })) == 0);
  log.reset();
  CHECK(status_of(in_child([&] {
          return open_log(path, options, SharedOpenMode::kJoin) == nullptr;
        })) == 0);
}

TEST_CASE("shared log: opening where memory for the header is refused") {
  const TemporaryDirectory directory;
  const std::string path = directory.file();
  SharedLogOptions options = small_options();
  options.descriptor.resize(1000);
  const auto log = open_log(path, options);
  REQUIRE(log != nullptr);
  // Its fixed part, and all of it; a joiner reads it twice.
  for (int64_t granted = 0; granted < 4; ++granted) {
    std::shared_ptr<SharedLog> joined;
    refuse_memory_after(granted);
    const OpenResult result = SharedLog::open(path, SharedOpenMode::kJoin,
                                              nullptr, 0600, {}, &joined);
    CHECK(refuse_memory_after(-1) < 0);
    CHECK(result.outcome == SharedOutcome::kNoMemory);
    CHECK(joined == nullptr);
  }
  for (int64_t granted = 0; granted < 2; ++granted) {
    refuse_memory_after(granted);
    CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kNoMemory);
    CHECK(refuse_memory_after(-1) < 0);
  }
  CHECK(open_log(path, options) == log);
  CHECK(SharedLog::unlink(path).outcome == SharedOutcome::kOk);
}

#endif  // defined(__linux__)
