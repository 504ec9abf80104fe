// A scan that checks several records at a time gives what one record at a time
// gives, for records of any kind and length and for any damage.
#include <doctest/doctest.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/base/little_endian.h"
#include "core/durable/wal/wal_scanner.h"
#include "support/simulated_file_system.h"

namespace atomic_log::durable {
namespace {

using test::Bytes;
using test::SimulatedFileSystem;

const std::string kPath = "log/wal-000001.log";
constexpr WalLogId kLogId = {1, 2, 3};
// Around the steps of the instruction, and where folding begins.
constexpr uint32_t kLengths[] = {0,  1,   7,   8,   9,    16,   63,  64,
                                 65, 100, 511, 512, 1000, 1024, 5000};

// What one call of next() leaves behind.
struct Step {
  WalVerdict verdict = WalVerdict::kNone;
  uint64_t offset = 0;
  uint64_t lsn = 0;
  uint32_t epoch = 0;
  uint32_t branch = 0;
  uint32_t checksum = 0;
  Bytes body;
  bool operator==(const Step&) const = default;
};

Step step(WalScanner& scanner) {
  Step result;
  result.verdict = scanner.next();
  result.offset = scanner.position().offset;
  result.lsn = scanner.position().lsn;
  result.epoch = scanner.position().epoch;
  result.branch = scanner.position().branch;
  if (result.verdict == WalVerdict::kRecord) {
    result.checksum = scanner.head().checksum;
    result.body.assign(scanner.body(),
                       scanner.body() + scanner.head().body_bytes);
  }
  return result;
}

class Scene {
 public:
  explicit Scene(uint32_t seed) : random_(seed) {
    const bool is_regular = one_in(2);
    const uint32_t regular = kLengths[below(std::size(kLengths))];
    for (uint32_t left = below(60); left > 0; --left) {
      const bool is_usual = is_regular && !one_in(9);
      append(is_usual ? regular : kLengths[below(std::size(kLengths))]);
    }
    bytes_.resize(bytes_.size() + 8 * below(20));
    for (uint32_t left = below(3); left > 0; --left) {
      const size_t records = bytes_.size() - kWalHeaderBytes;
      if (records == 0) break;
      bytes_[kWalHeaderBytes + below(records)] ^= uint8_t{1} << below(8);
    }
    if (one_in(6)) {
      bytes_.resize(bytes_.size() - below(bytes_.size() - kWalHeaderBytes + 1));
    }
    end_ = one_in(6) ? bytes_.size() + 100 : bytes_.size();
    system_.put(kPath, bytes_);
    REQUIRE(system_.open(kPath, platform::OpenMode::kRead, &file_).ok());
  }

  std::vector<Step> together() {
    WalScanner scanner(*file_, codec_, begin_, end_);
    std::vector<Step> steps;
    do {
      steps.push_back(step(scanner));
    } while (steps.back().verdict == WalVerdict::kRecord);
    // It stays there.
    CHECK(step(scanner) == steps.back());
    return steps;
  }

  // A scanner's first record is checked alone.
  std::vector<Step> one_by_one() {
    WalPosition position = begin_;
    std::vector<Step> steps;
    do {
      WalScanner scanner(*file_, codec_, position, end_);
      steps.push_back(step(scanner));
      position = scanner.position();
    } while (steps.back().verdict == WalVerdict::kRecord);
    return steps;
  }

 private:
  uint32_t below(size_t count) {
    return static_cast<uint32_t>(random_() % count);
  }
  bool one_in(uint32_t count) { return below(count) == 0; }

  void append(uint32_t body_bytes) {
    WalHead head;
    head.lsn = one_in(80) ? next_.lsn + 1 : next_.lsn;
    head.epoch = one_in(80) ? next_.epoch + 1 : next_.epoch;
    head.count = 1;
    if (one_in(10)) {
      head.type = WalType::kOpen;
      head.count = 0;
      body_bytes = kWalControlBodyBytes;
    } else if (body_bytes >= kWalBatchItemBytes && one_in(5)) {
      head.type = WalType::kBatch;
    }
    const uint64_t offset = bytes_.size();
    head.body_bytes = body_bytes;
    bytes_.resize(offset + static_cast<size_t>(wal_record_bytes(body_bytes)));
    uint8_t* const body = &bytes_[offset] + kWalHeadBytes;
    for (uint32_t i = 0; i < body_bytes; ++i) {
      body[i] = static_cast<uint8_t>(below(256));
    }
    if (head.type == WalType::kOpen) {
      next_.epoch += 1;
      store_u64(body, next_.epoch);
    }
    head.durable_offset = one_in(4) ? offset : 0;
    head.body_checksum = codec_.body_checksum(offset, body, body_bytes);
    codec_.encode_head(offset, head, &bytes_[offset]);
    next_.lsn = head.next_lsn();
  }

  std::mt19937 random_;
  const WalCodec codec_{kLogId, 1};
  const WalPosition begin_{kWalHeaderBytes, 1, 1, 0};
  WalPosition next_ = begin_;
  Bytes bytes_ = Bytes(kWalHeaderBytes);
  uint64_t end_ = 0;
  SimulatedFileSystem system_;
  std::unique_ptr<platform::File> file_;
};

TEST_SUITE_BEGIN("wal lanes");

TEST_CASE("a scan of several records at a time, damaged or not") {
  size_t records = 0;
  for (uint32_t seed = 0; seed < 4000; ++seed) {
    CAPTURE(seed);
    Scene scene(seed);
    const std::vector<Step> expected = scene.one_by_one();
    REQUIRE((scene.together() == expected));
    records += expected.size();
  }
  // Not all of them end at once.
  CHECK(records > 40'000);
}

constexpr uint32_t kBodyBytes = 64;
constexpr size_t kRecordBytes = kWalHeadBytes + kBodyBytes;
constexpr size_t kRecords = 9;

// Records that follow one another, from LSN 0 and epoch 0 on.
Bytes nine_records(const WalCodec& codec) {
  Bytes bytes(kRecords * kRecordBytes);
  for (size_t i = 0; i < kRecords; ++i) {
    const uint64_t offset = kWalHeaderBytes + i * kRecordBytes;
    uint8_t* const record = &bytes[i * kRecordBytes];
    WalHead head;
    head.lsn = i;
    head.body_bytes = kBodyBytes;
    head.count = 1;
    head.body_checksum =
        codec.body_checksum(offset, record + kWalHeadBytes, kBodyBytes);
    codec.encode_head(offset, head, record);
  }
  return bytes;
}

TEST_CASE(
    "a larger end: nothing that was checked before is taken for checked") {
  const WalCodec codec(kLogId, 1);
  Bytes file(kWalHeaderBytes);
  const Bytes records = nine_records(codec);
  file.insert(file.end(), records.begin(), records.end());
  SimulatedFileSystem system;
  system.put(kPath, file);
  std::unique_ptr<platform::File> opened;
  REQUIRE(system.open(kPath, platform::OpenMode::kReadWrite, &opened).ok());
  WalScanner scanner(*opened, codec, {}, file.size());
  for (int i = 0; i < 2; ++i) REQUIRE(scanner.next() == WalVerdict::kRecord);
  const uint8_t other = 1;
  const uint64_t third_body =
      kWalHeaderBytes + 2 * kRecordBytes + kWalHeadBytes;
  REQUIRE(opened->write_at(third_body, &other, 1).ok());
  scanner.set_end(file.size());
  CHECK(scanner.next() == WalVerdict::kNone);
}

TEST_CASE("what is passed has both checksums, and stops at what has not") {
  const WalCodec codec(kLogId, 1);
  Bytes bytes = nine_records(codec);
  const auto passed = [&](uint64_t offset) {
    return codec.pass_intact(offset, bytes.data(), bytes.size());
  };
#if defined(ATOMIC_LOG_HAS_CRC32C_INSTRUCTION)
  if (has_crc32c_instruction()) CHECK(passed(kWalHeaderBytes) == bytes.size());
#endif
  // A record that was moved does not pass.
  CHECK(passed(kWalHeaderBytes + 8) == 0);
  for (size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] ^= 1;
    CHECK(passed(kWalHeaderBytes) <= at);
    bytes[at] ^= 1;
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace atomic_log::durable
